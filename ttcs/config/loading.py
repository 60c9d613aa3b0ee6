"""Configurations beside whatever Hydra has under way in this process, which may be somebody else's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.object_type import ObjectType
from hydra.types import RunMode
from hydra.version import VersionBase, setbase
from omegaconf import DictConfig

from ttcs.config.options import CONF

VERSION = "1.3"  # as of the commands
_LOCK = Lock()


def loaded(name: str, overrides: Sequence[str], folder: Path | None = None) -> DictConfig:
    """The configuration `name` of conf/ with Hydra's own node. folder: more yamls, as `--config-dir` names them.

    Raises what Hydra raises. Threads may call it at once.
    """
    with _LOCK, _version():
        return _loader(folder).load_configuration(name, list(overrides), run_mode=RunMode.RUN)


def listed(group: str, folder: Path | None = None) -> list[str]:
    """The options of a group, by name. folder: as of `loaded`."""
    return _loader(folder).get_group_options(group, ObjectType.CONFIG)


def _loader(folder: Path | None) -> ConfigLoaderImpl:
    path = create_config_search_path(str(CONF))
    if folder is not None:
        path.prepend("command-line", f"file://{folder.absolute()}", anchor="schema")  # which has to be the last
    return ConfigLoaderImpl(path)


@contextmanager
def _version() -> Iterator[None]:
    """Hydra has one for the whole process."""
    kept = VersionBase.instance().version_base
    setbase(VERSION)
    try:
        yield
    finally:
        VersionBase.instance().version_base = kept

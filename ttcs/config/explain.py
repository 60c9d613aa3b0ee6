"""An exception -> one line for the person who made the mistake, or nothing if the mistake is ours."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import NoReturn

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, InstantiationException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import GrammarParseError, InterpolationKeyError

from ttcs.config.identity import settings
from ttcs.config.options import CONF, groups
from ttcs.config.streams import let_go
from ttcs.config.unicode import HALF
from ttcs.config.warned import plainly
from ttcs.errors import UserError, told

DIRECTORIES = ("hydra.run.dir", "hydra.sweep.dir")
MISTAKES = (HydraException, GrammarParseError, InterpolationKeyError)


@contextmanager
def answering(config: str = "config") -> Iterator[None]:
    """Turns a mistake of the user's into its line and exit code 2, and warnings into theirs; a bug goes through.

    config: the name of the command's configuration in conf/.
    """
    try:
        _check(sys.argv[1:])
        with plainly():
            yield
        sys.stdout.flush()  # at the end of the process it would be too late to tell that it cannot be written
    except Exception as error:
        line = explain(error, sys.argv[1:], config)
        if line is None:
            raise
        fail(line)


def _check(arguments: Sequence[str]) -> None:
    """UserError for an argument that no file can hold: its bytes are in another encoding than UTF-8."""
    for argument in arguments:
        if HALF.search(argument):
            raise UserError(f"{os.fsencode(argument).decode(errors='backslashreplace')} is not UTF-8 text")


def fail(line: str) -> NoReturn:
    print(f"error: {line}", file=sys.stderr)
    let_go()
    sys.exit(2)


def explain(error: BaseException, arguments: Sequence[str], config: str = "config") -> str | None:
    if (line := told(error)) is not None:
        return str(line)
    if isinstance(error, InstantiationException) or not isinstance(error, MISTAKES):
        return None
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        return _unknown_option(error.missing_cfg_file, error.options)
    if isinstance(error, OverrideParseException):
        return _unreadable(error.override, str(error).splitlines()[1])
    text = str(error)
    if match := re.match(r"Could not override '([^']+)'", text):
        return _unknown_key(match[1], arguments, config)
    if match := re.match(r"Ambiguous value for argument '([^']+)'", text):
        return f"{match[1]} has several values: add -m to sweep over them"
    return " ".join(text.split())


def _unreadable(override: str, reason: str) -> str:
    """Folders of runs are named n=16_seed=0-..., which Hydra takes for a word in quotes alone."""
    key, _, value = override.partition("=")
    if "=" in value:
        return f"{override}: a value with = in it has to stand in quotes, inside those of the shell: '{key}=\"...\"'"
    return f"{override} is not of the form key=value ({reason})"


def _unknown_option(file: str, options: Sequence[str]) -> str:
    group, _, option = file.rpartition("/")
    near = get_close_matches(option, options, cutoff=0.4)
    return f"{group} has no option {option}{_nearest(near)}; it has {', '.join(options)}"


def _unknown_key(key: str, arguments: Sequence[str], name: str) -> str:
    """The nearest of the keys that a configuration of the same groups has."""
    pairs = [argument for argument in arguments if "," not in argument]
    chosen = [argument for argument in pairs if (CONF / argument.partition("=")[0].lstrip("/")).is_dir()]
    GlobalHydra.instance().clear()  # the command ends here, and only one may be at work
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(name, chosen, return_hydra_config=True)
    plain = OmegaConf.to_container(config)
    assert isinstance(plain, dict)
    keys = settings({str(part): content for part, content in plain.items() if part != "hydra"})
    known = [*groups(config), *DIRECTORIES, *(name for name in keys if not name.endswith("_"))]
    level = [name for name in known if name.count(".") == key.count(".")]
    elsewhere = {name.rpartition(".")[2]: name for name in known}
    near = _near(key, level) or [elsewhere[name] for name in _near(key.rpartition(".")[2], elsewhere)]
    return f"there is no key {key}{_nearest(near)}; --help lists the groups, --cfg job the keys"


def _near(word: str, known: Iterable[str]) -> list[str]:
    return get_close_matches(word, list(known), n=3, cutoff=0.6)


def _nearest(names: Sequence[str]) -> str:
    return f" (nearest: {', '.join(names)})" if names else ""

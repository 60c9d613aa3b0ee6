"""How the commands that are Hydra's begin: flags anywhere, and one line for whatever is wrong with them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.utils import get_args_parser
from omegaconf import DictConfig

from ttcs.config import quoting
from ttcs.config.explain import answering, fail
from ttcs.config.home import typed
from ttcs.config.named import beside, reachable
from ttcs.config.options import CONF
from ttcs.config.streams import forgiving


def command(name: str, task: Callable[[DictConfig], Any]) -> None:
    """Run the task on the configuration `name` of conf/, as sys.argv sets it.

    Exit codes: 0 done, 1 a bug (with its traceback), 2 bad input (with one line).
    """
    forgiving()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra lets exceptions through to `answering`

    def answered(config: DictConfig) -> Any:
        """Leaves at once: Hydra would keep an exception until the other points of a sweep are done."""
        with answering(name):
            return task(config)

    with answering(name):
        sys.argv[1:] = arguments(typed(sys.argv[1:]))
        own = get_args_parser().parse_args(sys.argv[1:]).config_dir
        reachable(Path.cwd(), *(beside(Path(own)) if own else ()))
        try:
            hydra.main(version_base="1.3", config_path=str(CONF), config_name=name)(answered)()
        except SystemExit as end:
            if end.code == 1 and "--package" in sys.argv:  # of what there is not: Hydra has said so
                sys.exit(2)
            raise


def arguments(given: Sequence[str]) -> list[str]:
    """The overrides before the flags, which may stand anywhere: Hydra's own parser takes them in no other order."""
    parser = get_args_parser()
    parser.error = fail  # type: ignore[method-assign, assignment]
    found = parser.parse_intermixed_args(list(given))
    if (line := _contradiction(found)) is not None:
        fail(line)
    quoting.checked(found.overrides)
    overrides = list(found.overrides)
    flags = [word for word in given if not _taken(overrides, word)]
    return flags if found.hydra_help else [*found.overrides, *flags]


def _taken(overrides: list[str], word: str) -> bool:
    if word in overrides:
        overrides.remove(word)
        return True
    return False


def _contradiction(found: argparse.Namespace) -> str | None:
    """Why the flags do not go together; Hydra says it with a traceback, or leaves some of them out."""
    shows = found.cfg is not None
    modes = {
        "--run": found.run,
        "-m": found.multirun,
        "--cfg": shows,
        "--info": found.info is not None,
        "--shell-completion": found.shell_completion,
    }
    if len(several := [flag for flag, is_given in modes.items() if is_given]) > 1:
        return f"{' and '.join(several)} do not go together"
    if found.resolve and not (shows or found.help):
        return "--resolve goes with --cfg (--cfg job --resolve) or --help"
    if found.package is not None and not shows:
        return "--package goes with --cfg (--cfg job --package policy)"
    rerun = found.experimental_rerun
    if rerun is not None and not Path(rerun).is_file():
        return f"--experimental-rerun {rerun}: there is no such file"
    return None

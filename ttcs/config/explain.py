"""An exception -> one line for the person who made the mistake, or nothing if the mistake is ours."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

import hydra
from hydra.errors import HydraException, InstantiationException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import (
    GrammarParseError,
    InterpolationResolutionError,
    MissingMandatoryValue,
    OmegaConfBaseException,
    UnsupportedInterpolationType,
)

from ttcs.config.identity import settings
from ttcs.config.loading import loaded
from ttcs.config.options import CONF, groups
from ttcs.config.quoting import quoted
from ttcs.config.streams import let_go
from ttcs.config.unicode import broken
from ttcs.config.warned import plainly
from ttcs.errors import UserError, told

DIRECTORIES = ("hydra.run.dir", "hydra.sweep.dir")
MISTAKES = (
    HydraException,
    GrammarParseError,
    InterpolationResolutionError,
    UnsupportedInterpolationType,
    MissingMandatoryValue,
)
HYDRA = Path(hydra.__file__).parent


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
        if broken(argument):
            raise UserError(f"{os.fsencode(argument).decode(errors='backslashreplace')} is not UTF-8 text")


def fail(line: str) -> NoReturn:
    print(f"error: {line}", file=sys.stderr)
    let_go()
    sys.exit(2)


def explain(error: BaseException, arguments: Sequence[str], config: str = "config") -> str | None:
    if (line := told(error)) is not None:
        return str(line)
    if isinstance(error, InstantiationException) or not (isinstance(error, MISTAKES) or _refused(error)):
        return None
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, option = error.missing_cfg_file.rpartition("/")
        return unknown_option(group, option, error.options)
    if isinstance(error, OverrideParseException):
        return _unreadable(error.override)
    text = str(error).partition("Config search path:")[0]
    if match := re.match(r"Could not override '([^']+)'", text):
        return _unknown_key(match[1], arguments, config)
    if match := re.match(r"Ambiguous value for argument '(.+)'$", text, re.MULTILINE):
        return _several(match[1])
    if isinstance(error, OmegaConfBaseException):
        return _unresolved(error, [argument for argument in arguments if "${" in argument])
    if text.startswith("Config group override"):
        unfit = [argument for argument in arguments if argument.endswith("=null")] or arguments
        return f"{' '.join(unfit)}: the option of a group is its name"
    return " ".join(text.split())


def _unresolved(error: OmegaConfBaseException, asking: Sequence[str]) -> str:
    """Which key or, where OmegaConf does not say it, which override, and why."""
    reason = re.sub(r"^\w+ raised while resolving interpolation: ", "", str(error.msg or error).partition("\n")[0])
    place = error.full_key or (_line(asking[0]) if len(asking) == 1 else "")
    return f"{place}: {reason.strip(chr(34))}" if place else reason


def _refused(error: BaseException) -> bool:
    """Whether Hydra has looked at what was typed and says no: it has no exception of its own for all of that."""
    frames = traceback.extract_tb(error.__traceback__)
    return type(error) is ValueError and bool(frames) and Path(frames[-1].filename).is_relative_to(HYDRA)


def _unreadable(override: str) -> str:
    """Folders of runs are named n=16_seed=0-..., and prompts have braces in them, which mean something to Hydra."""
    if "=" in override and (written := quoted(override)) is not None:
        return f"{_line(override)}: this value has to stand in quotes, inside those of the shell: {written}"
    return f"{_line(override)} is not of the form key=value"


def _several(override: str) -> str:
    """Values to sweep over, or a text with commas in it."""
    key, _, value = override.partition("=")
    line = f"{_line(override)} has several values: add -m to sweep over them"
    numbers = all(re.fullmatch(r"\s*-?[\d.]+(e[+-]?\d+)?\s*", part) for part in value.split(","))
    if numbers or (CONF / key).is_dir() or (written := quoted(override)) is None:
        return line
    return f"{line}; or, if it is one text, quote it: {written}"


def _line(override: str) -> str:
    return override if override.isprintable() else ascii(override)[1:-1]


def unknown_option(group: str, option: str, options: Sequence[str]) -> str:
    near = get_close_matches(option, options, cutoff=0.4)
    return f"{group} has no option {_line(option)}{_nearest(near)}; it has {', '.join(options)}"


def _unknown_key(key: str, arguments: Sequence[str], name: str) -> str:
    """The nearest of the keys that a configuration of the same groups has."""
    if (CONF / key).is_dir() and (group := _addable(key, arguments)) is not None:
        return group
    pairs = [argument for argument in arguments if "," not in argument]
    chosen = [argument for argument in pairs if (CONF / argument.partition("=")[0].lstrip("/")).is_dir()]
    known = [known for known in _keys(name, chosen) if known != key]
    level = [name for name in known if name.count(".") == key.count(".")]
    elsewhere = {name.rpartition(".")[2]: name for name in known}
    near = _near(key, level) or [elsewhere[name] for name in _near(key.rpartition(".")[2], elsewhere)]
    return f"there is no key {key}{_nearest(near)}; --help lists the groups, --cfg job the keys"


def _addable(group: str, arguments: Sequence[str]) -> str | None:
    """What to write for a group that the options chosen leave out; None: it was not written group=option."""
    wanted = next((argument for argument in arguments if argument.startswith(f"{group}=")), None)
    if wanted is None:
        return None
    options = sorted(file.stem for file in (CONF / group).glob("*.yaml"))
    unknown = [option for option in wanted.partition("=")[2].split(",") if option not in options]
    if unknown:
        return unknown_option(group, unknown[0], options)
    return f"the configuration has no {group} to replace: a group that it does not choose from is added with +{wanted}"


def _keys(name: str, chosen: Sequence[str]) -> list[str]:
    """Of the configuration with the groups chosen; none where they do not go together."""
    try:
        config = loaded(name, chosen)
    except MISTAKES:
        return []
    plain = OmegaConf.to_container(config)
    assert isinstance(plain, dict)
    keys = settings({str(part): content for part, content in plain.items() if part != "hydra"})
    return [*groups(config), *DIRECTORIES, *(name for name in keys if not name.endswith("_"))]


def _near(word: str, known: Iterable[str]) -> list[str]:
    return get_close_matches(word, list(known), n=3, cutoff=0.6)


def _nearest(names: Sequence[str]) -> str:
    return f" (nearest: {', '.join(names)})" if names else ""

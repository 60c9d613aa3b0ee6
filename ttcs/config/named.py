"""What a `_target_` names, which may be a module of one's own."""

from __future__ import annotations

import sys
from functools import reduce
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from ttcs.errors import UserError


def reachable(*folders: Path) -> None:
    """Have modules found in these folders, after those that are installed. An installed command has no working folder
    among them, as `python -m` has.
    """
    sys.path += [
        place for place in dict.fromkeys(str(folder.absolute()) for folder in folders) if place not in sys.path
    ]


def beside(folder: Path) -> tuple[Path, Path]:
    """Where the modules are that the yamls in a folder of one's own name: in it, or next to it."""
    return folder, folder.absolute().parent


def named(target: object, key: str) -> Any:
    """The class or function. key: where it stands in the configuration. UserError where there is no such module, or
    nothing of that name in it.
    """
    told, parts = f"{key}._target_={target}", str(target).split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise UserError(f"{told} is not of the form module.Name")
    for end in range(len(parts) - 1, 0, -1):
        if (module := _module(".".join(parts[:end]), told)) is not None:
            try:
                return reduce(getattr, parts[end:], module)
            except AttributeError as error:
                raise UserError(f"{told}: {module.__name__} has no {'.'.join(parts[end:])}") from error
    raise UserError(
        f"{told}: there is no module {parts[0]}, neither installed nor in {Path.cwd()} nor beside --config-dir"
    )


def _module(name: str, told: str) -> ModuleType | None:
    """None: there is none of this name."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            return None
        raise UserError(f"{told}: {name} needs {error.name}, which is not installed") from error

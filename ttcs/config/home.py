"""`~/` at the beginning of a path is the home folder, wherever it is given: a shell sees none behind `key=`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HOME = "~/"
# Where a value begins in an override, those of lists and sweeps too: key=~/a, key="~/a", key=[~/a,~/b].
BEGUN = re.compile(r"""([=,\[:]\s*["']?)~(?=/)""")


def at_home(value: Any) -> Any:
    """A value of a configuration; of lists and mappings those in them."""
    if isinstance(value, dict):
        return {key: at_home(item) for key, item in value.items()}
    if isinstance(value, list):
        return [at_home(item) for item in value]
    return str(path(value)) if isinstance(value, str) and value.startswith(HOME) else value


def typed(arguments: Sequence[str]) -> list[str]:
    """Arguments of a command: Hydra takes no ~ without quotes, and makes the folder of a run before a value is read."""
    home = str(Path.home())
    return [BEGUN.sub(lambda begun: begun[1] + home, argument) for argument in arguments]


def path(text: str) -> Path:
    return Path(text).expanduser()

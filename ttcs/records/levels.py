"""A figure for every bin of a difficulty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ttcs.choice.difficulty import Difficulty, NoLevelsError, Pool
from ttcs.errors import UserError

Figure = TypeVar("Figure")


def by_level(
    pools: Sequence[Pool], difficulty: Difficulty, figure: Callable[[Sequence[int]], Figure]
) -> tuple[dict[str, Figure], str | None]:
    """Bin -> the figure of the problems in it, which it is handed as indices of `pools`; the easiest bin first.

    Nothing is lost for want of levels: then it is empty, with the reason (None: the problems have no levels at all).
    """
    try:
        bins = difficulty(pools)
    except NoLevelsError:
        return {}, None
    except UserError as error:
        return {}, str(error)
    members = {level: [i for i, bin_ in enumerate(bins) if bin_ == level] for level in bins}
    return {str(level): figure(members[level]) for level in sorted(members)}, None

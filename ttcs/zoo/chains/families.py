"""The families of chains. All of them need the same few facts, sums and differences of two digits modulo 10."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from ttcs.zoo.chains.acts import PLACES, Act, Add, Shift, State, shown
from ttcs.zoo.chains.chain import Chain

MOVES = 6
TEMPTING = {1: (0, 0), 2: (1, 2), 3: (2, 2), 4: (2, 3), 5: (3, 3)}  # level -> least and most tempting moves
# The tempting words of levels 2 to 5. They all mean the same; how often they mislead is for conf/mistakes to say.
DOWN = ("back", "less", "off", "low")
RIGHT = ("turn", "roll", "spin", "pass")
DROPS = ("pays", "lends", "owes", "hands")


def lock(rng: Random, level: int, moves: int = MOVES) -> Chain:
    """The wheels of a dial lock are turned. Rule `forward`: a word for down is taken for up."""
    given, tempting = _state(rng), _places(rng, level, moves)
    acts = [_add(rng, -1 if tempts else rng.choice((1, -1))) for tempts in tempting]
    listed = _numbered([_adding(act, DOWN[level - 2] if t else None) for act, t in zip(acts, tempting, strict=True)])
    question = f"A lock shows {shown(given)}. {listed} What does it show then?"
    return Chain(question, given, tuple(acts), tempting, "forward")


def undo(rng: Random, level: int, moves: int = MOVES) -> Chain:
    """The moves of a lock are undone, the last one first. Rule `again`: a move down is made again, not undone."""
    given, tempting = _state(rng), _places(rng, level, moves)
    acts = [_add(rng, 1 if tempts else rng.choice((1, -1))) for tempts in tempting]
    words = [DOWN[level - 2] if tempts else None for tempts in tempting]
    listed = _numbered([_adding(act.inverse, word) for act, word in zip(acts, words, strict=True)])
    question = f"A lock came to {shown(given)}. Its moves, the last first: {listed} What did it show at first?"
    return Chain(question, given, tuple(acts), tempting, "again", backward=True)


def row(rng: Random, level: int, moves: int = MOVES) -> Chain:
    """Digits in a row are shifted and added to. Rule `other_way`: a shift to the right goes to the left."""
    given, tempting, acts, words = _state(rng), _places(rng, level, moves), list[Act](), list[str]()
    for tempts in tempting:
        if tempts or rng.random() < 0.4:
            left = not tempts and rng.random() < 0.5
            acts.append(Shift(left))
            words.append(RIGHT[level - 2] if tempts else "left" if left else "right")
        else:
            added = _add(rng, rng.choice((1, -1)))
            acts.append(added)
            words.append(_adding(added, None))
    question = f"In a row stand {shown(given)}. {_numbered(words)} How do they stand then?"
    return Chain(question, given, tuple(acts), tempting, "other_way")


def ring(rng: Random, level: int, moves: int = MOVES) -> Chain:
    """One after the other adds its neighbour's digit. Rule `adding`: a word for taking away is taken for adding."""
    given, left, adds = _state(rng), rng.random() < 0.5, level == 1 and rng.random() < 0.5
    word = DROPS[level - 2] if level > 1 else "adds" if adds else "drops"
    side = "left" if left else "right"
    size, first = len(PLACES), rng.randrange(len(PLACES))
    turns = [(first + turn) % size for turn in range(moves)]
    acts = [Add(place, 1 if adds else -1, source=(place + (-1 if left else 1)) % size) for place in turns]
    question = (
        f"In a ring sit {shown(given)}. From {PLACES[first]} on each in turn {word} the digit to its {side}. "
        f"What is there after {moves} turns?"
    )
    return Chain(question, given, tuple(acts), (level > 1,) * moves, "adding")


FAMILIES: dict[str, Callable[[Random, int, int], Chain]] = {"lock": lock, "ring": ring, "row": row, "undo": undo}


def _state(rng: Random) -> State:
    return tuple(rng.randrange(10) for _ in PLACES)


def _places(rng: Random, level: int, moves: int) -> tuple[bool, ...]:
    """Which moves tempt; never the last one, and one at most of a short chain, where two could cancel."""
    tempting = min(rng.randint(*TEMPTING[level]), moves - 1 if moves == MOVES else 1, moves - 1)
    chosen = rng.sample(range(moves - 1), tempting)
    return tuple(move in chosen for move in range(moves))


def _add(rng: Random, sign: int) -> Add:
    target, source = rng.sample(range(len(PLACES)), 2)
    return Add(target, sign, source=source) if rng.random() < 0.5 else Add(target, sign, rng.randint(1, 9))


def _adding(act: Add, word: str | None) -> str:
    operand = act.amount if act.source is None else PLACES[act.source]
    return f"{PLACES[act.target]} {word or ('up' if act.sign > 0 else 'down')} {operand}"


def _numbered(moves: list[str]) -> str:
    return " ".join(f"{number}: {move}." for number, move in enumerate(moves, 1))

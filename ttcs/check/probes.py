"""One question each to the engines of a configuration, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from time import perf_counter
from typing import Any, Protocol

from ttcs.check import samples
from ttcs.core import PRM, Continue, Continued, Judge, Judged, Policy, Trajectory

CLOSE = 0.05  # difference of two scores that the last digits of bfloat16 may make
PIECES = 1.5  # of what is computed at once: a prompt that long is computed in two pieces
LONG = 2_000  # tokens of a prompt where none is computed in pieces
FEW, MORE = 8, 40  # words of a prompt, to see how many tokens a word has
AFTER = 16  # tokens behind a long prompt
REPEATED, SPEED = 8, 64  # requests
WRITTEN = 64  # tokens of each


@dataclass(frozen=True, slots=True)
class Finding:
    """What was asked, whether the answer is as it should be, and the figures."""

    name: str
    good: bool
    said: str


class Rules(Protocol):
    """context: tokens that are read at most."""

    @property
    def context(self) -> int: ...


class Reader(Policy, Protocol):
    """A policy that has a model.

    exact: it computes in float32, where no last digit turns a token. batched_tokens: of a prompt, that are computed at
    once; None: all, as far as is known.
    """

    exact: bool
    batched_tokens: int | None

    @property
    def rules(self) -> Rules: ...


def reading(policy: Reader) -> Iterator[Finding]:
    """What is asked of a model alone."""
    yield continued(policy, policy.exact)
    yield long_prompt(policy)


def repeated(policy: Policy) -> Finding:
    """Whether seeds alone decide what is sampled."""
    problems = samples.problems()
    requests = [_ask(Trajectory(problems[seed % len(problems)]), seed=seed) for seed in range(REPEATED)]
    found = []
    for _ in range(2):
        policy.reset()
        found.append([_tokens(result) for result in answers(policy, requests)])
    same = sum(one == other for one, other in zip(*found, strict=True))
    return Finding("seeds", same == REPEATED, f"{same} of {REPEATED} samples are the same when drawn again")


def continued(policy: Policy, exact: bool) -> Finding:
    """Whether a solution that is taken up again goes on as it would have, behind the very tokens it was left with.

    exact: to its end; else its first token has to be the same, which is a matter of the prefix more than of digits.
    """
    root = Trajectory(samples.problems()[0])
    (whole,) = answers(policy, [_ask(root, temperature=0.0)])
    (first,) = answers(policy, [_ask(root, temperature=0.0, max_steps=1)])
    begun = root.extend(first.steps)
    if not begun.live:
        return Finding("continuation", _tokens(whole) == _tokens(first), "the solution has one step, twice the same")
    (rest,) = answers(policy, [_ask(begun, temperature=0.0, max_tokens=WRITTEN - len(begun.tokens))])
    read = rest.prompt_tokens == whole.prompt_tokens + len(begun.tokens)
    tokens = [*begun.tokens, *_tokens(rest)]
    good = read and _alike(tokens, _tokens(whole), None if exact else len(begun.tokens) + 1)
    same = _common(tokens, _tokens(whole))
    return Finding("continuation", good, f"{same} of {len(tokens)} tokens as without a break at {len(begun.tokens)}")


def long_prompt(policy: Reader) -> Finding:
    """Whether what follows a long prompt is the same when its keys and values come from the cache.

    It is longer than what the engine computes at once, as far as the model reads so much.
    """
    wanted = LONG if policy.batched_tokens is None else int(PIECES * policy.batched_tokens)
    words = _words(policy, min(wanted, policy.rules.context - 2 * AFTER))
    request = _ask(Trajectory(samples.long(words)), temperature=0.0, max_tokens=AFTER)
    policy.reset()
    (first,) = answers(policy, [request])
    (second,) = answers(policy, [request])
    pieces = 1 if policy.batched_tokens is None else ceil(first.prompt_tokens / policy.batched_tokens)
    how = f"in {pieces} pieces" if pieces > 1 else "not in pieces here"
    good = bool(_tokens(first)) and _alike(_tokens(first), _tokens(second), None if policy.exact else 1)
    same = _common(_tokens(first), _tokens(second))
    return Finding(
        "long prompt",
        good,
        f"{first.prompt_tokens} tokens read, {how}; with {second.cached_tokens} of them from the cache {same} of "
        f"{len(_tokens(first))} that follow are the same",
    )


def speed(policy: Policy) -> Finding:
    problems = samples.problems()
    requests = [_ask(Trajectory(problems[seed % len(problems)]), seed=seed) for seed in range(SPEED)]
    policy.reset()
    began = perf_counter()
    written = sum(len(_tokens(result)) for result in answers(policy, requests))
    seconds = perf_counter() - began
    return Finding("speed", written > 0, f"{written} tokens in {seconds:.1f} s, {written / seconds:,.0f} a second")


def scores(prm: PRM, expected: Sequence[Judged] | None, missing: str = "") -> Finding:
    """Whether solutions are scored as on the reference. expected: None where there is none; missing: why."""
    prm.reset()
    found = answers(prm, [Judge(solution) for solution in samples.solutions()])
    values = [value for result in found for value in result.scores if value is not None]
    differ = len(set(values)) > 1 and all(0 <= value <= 1 for value in values)
    if expected is None:
        said = f"{len(values)} scores from {min(values):.3f} to {max(values):.3f}"
        return Finding("scores", differ, "; ".join(filter(None, [said, missing])))
    theirs = [value for result in expected for value in result.scores if value is not None]
    furthest = max(abs(a - b) for a, b in zip(values, theirs, strict=True))
    good = differ and furthest <= CLOSE
    return Finding("scores", good, f"{len(values)} scores, {furthest:.2g} at most from those of transformers")


def answers(engine: Any, requests: Sequence[Continue] | Sequence[Judge]) -> list[Any]:
    """The results of requests, side by side, in their order."""
    for ticket, request in enumerate(requests):
        engine.add(ticket, request)
    results: dict[int, Any] = {}
    while len(results) < len(requests):
        results |= dict(engine.step())
    return [results[ticket] for ticket in range(len(requests))]


def _words(policy: Policy, tokens: int) -> int:
    """How many words of a long prompt make it so long."""
    asked = [_ask(Trajectory(samples.long(words)), max_tokens=1) for words in (FEW, MORE)]
    few, more = (result.prompt_tokens for result in answers(policy, asked))
    return max(1, MORE + int((tokens - more) * (MORE - FEW) // (more - few)))


def _alike(tokens: Sequence[int], others: Sequence[int], least: int | None) -> bool:
    """least: how many of the first have to be the same; None: all."""
    return tokens == others if least is None else _common(tokens, others) >= least


def _common(tokens: Sequence[int], others: Sequence[int]) -> int:
    """How many of the first are the same."""
    pairs = enumerate(zip(tokens, others, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(tokens), len(others)))


def _ask(
    trajectory: Trajectory,
    temperature: float | None = None,
    max_steps: int | None = None,
    max_tokens: int = WRITTEN,
    seed: int = 0,
) -> Continue:
    return Continue(trajectory, max_steps, max_tokens, temperature, seed)


def _tokens(result: Continued) -> list[int]:
    return [token for step in result.steps for token in step.tokens]

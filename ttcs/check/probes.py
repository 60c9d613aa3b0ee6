"""One question each to the engines of a configuration, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from ttcs.check import samples
from ttcs.core import PRM, Continue, Continued, Judge, Judged, Policy, Trajectory

CLOSE = 0.05  # difference of two scores that the last digits of bfloat16 may make
PIECE = 10_000  # tokens of a prompt, more than vLLM computes at once
REPEATED, SPEED = 8, 64  # requests
WRITTEN = 64  # tokens of each


@dataclass(frozen=True, slots=True)
class Finding:
    """What was asked, whether the answer is as it should be, and the figures."""

    name: str
    good: bool
    said: str


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


def continued(policy: Policy) -> Finding:
    """Whether a solution that is taken up again goes on as it would have, behind the very tokens it was left with."""
    root = Trajectory(samples.problems()[0])
    (whole,) = answers(policy, [_ask(root, temperature=0.0)])
    (first,) = answers(policy, [_ask(root, temperature=0.0, max_steps=1)])
    begun = root.extend(first.steps)
    if not begun.live:
        return Finding("continuation", _tokens(whole) == _tokens(first), "the solution has one step, twice the same")
    (rest,) = answers(policy, [_ask(begun, temperature=0.0, max_tokens=WRITTEN - len(begun.tokens))])
    read = rest.prompt_tokens == whole.prompt_tokens + len(begun.tokens)
    tokens = [*begun.tokens, *_tokens(rest)]
    same = next((at for at, (a, b) in enumerate(zip(tokens, _tokens(whole), strict=False)) if a != b), len(tokens))
    good = read and same > len(begun.tokens)
    return Finding("continuation", good, f"{same} of {len(tokens)} tokens as without a break at {len(begun.tokens)}")


def long_prompt(policy: Any) -> Finding:
    """Whether a prompt that is computed in pieces gives the same twice. policy: one of real models."""
    words = min(policy.rules.context, PIECE) // 4
    request = _ask(Trajectory(samples.long(words)), max_tokens=4, seed=1)
    found = []
    for _ in range(2):
        policy.reset()
        found += answers(policy, [request])
    same = _tokens(found[0]) == _tokens(found[1]) and bool(_tokens(found[0]))
    return Finding("long prompt", same, f"{found[0].prompt_tokens} tokens read, the same sample twice")


def speed(policy: Policy) -> Finding:
    problems = samples.problems()
    requests = [_ask(Trajectory(problems[seed % len(problems)]), seed=seed) for seed in range(SPEED)]
    policy.reset()
    began = perf_counter()
    written = sum(len(_tokens(result)) for result in answers(policy, requests))
    seconds = perf_counter() - began
    return Finding("speed", written > 0, f"{written} tokens in {seconds:.1f} s, {written / seconds:,.0f} a second")


def scores(prm: PRM, expected: Sequence[Judged] | None) -> Finding:
    """Whether solutions are scored as on the reference. expected: None where the engine is the reference itself."""
    prm.reset()
    found = answers(prm, [Judge(solution) for solution in samples.solutions()])
    values = [value for result in found for value in result.scores if value is not None]
    differ = len(set(values)) > 1 and all(0 <= value <= 1 for value in values)
    if expected is None:
        return Finding("scores", differ, f"{len(values)} scores from {min(values):.3f} to {max(values):.3f}")
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

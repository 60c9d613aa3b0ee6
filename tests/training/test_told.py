"""Traces that say how long they are to be, and are."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from tests import tiny
from tests.training.test_traces import TOKENIZER, made
from ttcs.config.options import CONF
from ttcs.training.told import Lengths, Steps, Tokens

STEPS = ["Add: $1 + 1 = 2$.\n\n", "So it is $2$.\n\n"]


def test_the_smallest_limit_that_holds_the_trace() -> None:
    used = len(TOKENIZER("".join(STEPS), add_special_tokens=False).input_ids)
    told = Tokens(0.1, "Up to {tokens}.", [used - 1, used, used + 1], tiny.folder())
    assert told(STEPS, 1) == (f"Up to {used}.", "".join(STEPS))
    assert Tokens(0.1, "Up to {tokens}.", [used - 1], tiny.folder())(STEPS, 1) is None


def test_steps_are_counted_down_to_the_last() -> None:
    instruction, thinking = Steps(0.1, "{steps} steps.", "{left} left\n")(STEPS, 1)
    assert instruction == "2 steps." and thinking == f"2 left\n{STEPS[0]}1 left\n{STEPS[1]}"


def test_a_length_is_said_where_one_fits() -> None:
    told = Lengths(0.1, {"short": "Quick.", "long": "Slow."}, {"short": (1, 1), "long": (3, 6)})
    said = [told(STEPS, attempts) for attempts in (1, 2, 3, 6, 7)]
    assert [one and one[0] for one in said] == ["Quick.", None, "Slow.", "Slow.", None]


def test_a_share_of_the_traces_is_told_and_keeps_to_it(tmp_path: Path) -> None:
    ways = [
        Steps(0.3, "Think for up to {steps} steps.", "{left} steps left\n"),
        Lengths(0.2, {"short": "Be quick.", "long": "Take time."}, {"short": (1, 1), "long": (3, 3)}),
    ]
    kinds: Counter[str] = Counter()
    for line in made(tmp_path, told=ways):
        attempts = line["thinking"].count("it is $")
        _, _, said = line["question"].rpartition("\n\n")
        if steps := re.fullmatch(r"Think for up to (\d+) steps\.", said):
            counted = re.findall(r"^(\d+) steps left$", line["thinking"], re.MULTILINE)
            assert counted == [str(left) for left in range(int(steps[1]), 0, -1)]
            kinds["steps"] += 1
        else:
            assert "steps left" not in line["thinking"]
            assert attempts == {"Be quick.": 1, "Take time.": 3}.get(said, attempts)
            kinds[said if said in ("Be quick.", "Take time.") else "not told"] += 1
    # Half of the traces have one attempt and a quarter three, so of a fifth that may be told a length these are.
    shares = {"steps": 0.3, "Be quick.": 0.1, "Take time.": 0.05, "not told": 0.55}
    assert {kind: count / 400 for kind, count in kinds.items()} == pytest.approx(shares, abs=0.06)


def test_what_traces_are_told_is_what_the_strategies_tell() -> None:
    stage = OmegaConf.load(CONF / "stage" / "zoo_traces.yaml").told
    tokens, steps, lengths = stage
    token, step, length = (
        OmegaConf.load(CONF / "strategy" / f"{name}_conditional.yaml") for name in ("token", "step", "class")
    )
    assert tokens.instruction == token.instruction
    assert (steps.instruction, steps.countdown) == (step.instruction, step.countdown)
    assert json.dumps(OmegaConf.to_container(lengths.instructions)) == json.dumps(
        OmegaConf.to_container(length.instructions)
    )

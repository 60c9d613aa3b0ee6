"""The policy on vLLM over an engine that writes what it is told; the real one is in tests/vllm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests import tiny
from ttcs.core import Continue, Step, Stop, Trajectory
from ttcs.errors import EngineError, UserError
from ttcs.models.load import load_tokenizer
from ttcs.policies.vllm import VLLMPolicy, seed
from ttcs.vllm.engine import Writing
from ttcs.vllm.stops import frequent

ROOT = Trajectory(tiny.PROBLEM)
BLOCK = 16


class Engine:
    """Writes a solution token by token, as vLLM would: `pace` tokens a step, stopped where it was told to stop."""

    def __init__(self, *_: object) -> None:
        self.context = 512
        self.cache_tokens: int | None = None
        self.batched_tokens: int | None = None
        self.exact = True
        self.capacity = 8
        self.solution: list[int] = []
        self.prompt = 0
        self.pace = 1
        self.together = False  # tokens of a step come as one piece
        self.asked: list[SimpleNamespace] = []
        self.running: dict[str, list[int]] = {}
        self.aborted: list[str] = []
        self.read: set[tuple[int, ...]] = set()
        self.reason: str | None = None

    def write(self, tokens: Sequence[int], writing: Writing, priority: int = 0) -> str:
        name = str(len(self.asked))
        self.asked.append(SimpleNamespace(tokens=list(tokens), priority=priority, **asdict(writing)))
        self.running[name] = []
        return name

    def step(self, patience: float) -> list[SimpleNamespace]:
        written = [self._write(name) for name in list(self.running)]
        return [output for outputs in written for output in (joined(outputs) if self.together else outputs)]

    def _write(self, name: str) -> list[SimpleNamespace]:
        asked, written, outputs = self.asked[int(name)], self.running[name], []
        before = len(asked.tokens) - self.prompt
        for _ in range(self.pace):
            token = self.solution[before + len(written)]
            written.append(token)
            reason = "stop" if token in asked.stops else "length" if len(written) == asked.max_tokens else None
            piece = SimpleNamespace(token_ids=[token], logprobs=None, finish_reason=self.reason or reason)
            cached = self._cached(asked.tokens)
            finished = piece.finish_reason is not None
            outputs.append(
                SimpleNamespace(request_id=name, outputs=[piece], num_cached_tokens=cached, finished=finished)
            )
            if finished:
                self._keep([*asked.tokens, *written])
                del self.running[name]
                break
        return outputs

    def _cached(self, tokens: Sequence[int]) -> int:
        ends = range(BLOCK, len(tokens), BLOCK)
        return max((end for end in ends if tuple(tokens[:end]) in self.read), default=0)

    def _keep(self, tokens: Sequence[int]) -> None:
        self.read |= {tuple(tokens[:end]) for end in range(BLOCK, len(tokens), BLOCK)}

    def abort(self, names: Sequence[str]) -> None:
        self.aborted += names
        for name in names:
            self.running.pop(name, None)

    def reset(self) -> None:
        self.read.clear()


def joined(outputs: list[SimpleNamespace]) -> list[SimpleNamespace]:
    *_, last = outputs
    last.outputs[0].token_ids = [token for output in outputs for token in output.outputs[0].token_ids]
    return [last]


@pytest.fixture
def policy(monkeypatch: pytest.MonkeyPatch) -> VLLMPolicy:
    monkeypatch.setattr("ttcs.policies.vllm.Engine", Engine)
    made = VLLMPolicy(tiny.folder(), 0.8, 1.0, 60, 8)
    made._engine.prompt = len(made._prompt(tiny.PROBLEM))
    return made


def finish(policy: VLLMPolicy, text: str, **changes):
    """What comes of one request when the engine writes `text`."""
    tokens = policy.tokenizer(text, add_special_tokens=False).input_ids
    policy._engine.solution = [*tokens, policy.tokenizer.eos_token_id, *[0] * 60]
    request = {"trajectory": ROOT, "max_steps": None, "max_tokens": None, "temperature": None, "seed": 7} | changes
    policy.add(3, Continue(**request))
    while not (done := policy.step()):
        pass
    ((ticket, result),) = done
    assert ticket == 3
    return result


def test_a_step_that_is_too_long_is_ended_by_the_engine(policy: VLLMPolicy) -> None:
    policy.rules = replace(policy.rules, step_tokens=4)
    result = finish(policy, "Compute $3$ and $4$ and $5$.\n\n", max_steps=1)
    assert [(len(step.tokens), step.stop) for step in result.steps] == [(4, Stop.STEP_LENGTH)]
    assert policy._engine.aborted == []
    several = finish(policy, "So.\n\nCompute $3$ and $4$ and $5$.\n\n", max_steps=3)
    assert [step.stop for step in several.steps] == [Stop.STEP, Stop.STEP_LENGTH]


def test_a_step_is_ended_by_the_engine(policy: VLLMPolicy) -> None:
    result = finish(policy, "Compute $3$.\n\nCompute $4$.\n\n", max_steps=1)
    assert [(step.text, step.stop) for step in result.steps] == [("Compute $3$.\n\n", Stop.STEP)]
    assert len(policy._engine.asked) == 1 and not policy._engine.aborted


def test_whole_solutions_are_not_stopped_at_steps(policy: VLLMPolicy) -> None:
    result = finish(policy, "Compute $3$.\n\nCompute $4$.\n\nSo $7$.")
    assert [step.stop for step in result.steps] == [Stop.STEP, Stop.STEP, Stop.END]
    assert len(policy._engine.asked) == 1 and not policy._engine.aborted


@pytest.mark.parametrize("pace", [1, 4])
def test_several_steps_end_when_the_last_of_them_is_there(policy: VLLMPolicy, pace: int) -> None:
    policy._engine.pace = pace  # what comes behind it is of no account
    result = finish(policy, "Compute $3$.\n\nCompute $4$.\n\nCompute $5$.\n\n", max_steps=2)
    assert [step.text for step in result.steps] == ["Compute $3$.\n\n", "Compute $4$.\n\n"]
    assert policy._engine.aborted == ["0"] and policy.step() == []


def test_a_blank_step_is_gone_on_from(policy: VLLMPolicy) -> None:
    result = finish(policy, "\n\nCompute $3$.\n\n", max_steps=1)
    assert [step.text for step in result.steps] == ["\n\nCompute $3$.\n\n"]
    first, second = policy._engine.asked
    assert second.tokens == [*first.tokens, *result.steps[0].tokens[: len(second.tokens) - len(first.tokens)]]
    assert first.seed != second.seed
    assert first.max_tokens == 60 and second.max_tokens == 60 - (len(second.tokens) - len(first.tokens))


def test_a_blank_line_of_two_tokens_ends_a_step(policy: VLLMPolicy) -> None:
    newline = policy.tokenizer("\n", add_special_tokens=False).input_ids
    word = policy.tokenizer("Compute", add_special_tokens=False).input_ids
    prefix = Trajectory(tiny.PROBLEM)
    policy._engine.solution = [*word, *newline, *newline, *word]
    policy.add(0, Continue(prefix, 1, None, None, 1))
    done = []
    while not done:
        done = policy.step()
    assert done[0][1].steps[0].tokens == (*word, *newline, *newline)
    assert policy._engine.aborted == ["0"]


def test_the_engine_is_told_of_the_frequent_ends_of_steps_alone(
    policy: VLLMPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the others the draft is cut; what came behind them is of no account but to the ledger."""
    monkeypatch.setattr("ttcs.vllm.stops.MOST", 1)
    few = VLLMPolicy(tiny.folder(), 0.8, 1.0, 60, 8)
    few._engine.prompt, few._engine.pace, few._engine.together = policy._engine.prompt, 8, True
    text = "Compute $3$.\n\nCompute $4$.\n\n"
    expected, found = finish(policy, text, max_steps=1), finish(few, text, max_steps=1)
    tokens = policy.tokenizer(text, add_special_tokens=False).input_ids
    written = min(len(tokens) + 1, -(-len(expected.steps[0].tokens) // 8) * 8)
    assert found.steps == expected.steps and expected.unseen == 0
    assert found.unseen == written - len(found.steps[0].tokens) > 0
    assert few._engine.aborted == ["0"] and len(few._engine.asked[0].stops) < len(policy._engine.asked[0].stops)


def test_the_frequent_ends_of_steps_are_the_shortest() -> None:
    texts = [".\n\n", "\n\n", "): \n\n", *(f"{letter}.\n\n" for letter in "abc" * 30)]
    tokenizer = SimpleNamespace(decode=lambda ids: texts[ids[0]])
    found = frequent(range(len(texts)), tokenizer)
    assert found[:4] == [1, 0, 3, 4] and len(found) == 64 and found == frequent(range(len(texts))[::-1], tokenizer)


def test_the_engine_samples_among_the_likeliest(policy: VLLMPolicy) -> None:
    finish(policy, "So $7$.")
    policy.top_k = 20
    finish(policy, "So $7$.")
    assert [asked.top_k for asked in policy._engine.asked] == [None, 20]


def test_the_oldest_problem_goes_first(policy: VLLMPolicy) -> None:
    """Also where it has to go on after a blank step."""
    finish(policy, "\n\nCompute $3$.\n\n", max_steps=1, order=7)
    assert [asked.priority for asked in policy._engine.asked] == [7, 7]


@pytest.mark.parametrize(
    ("asking", "told"), [({}, None), ({"logprobs": True}, 0), ({"confidence": 5}, 5), ({"confidence": 20}, 20)]
)
def test_how_many_likelier_tokens_the_engine_tells_of(
    policy: VLLMPolicy, asking: dict[str, Any], told: int | None
) -> None:
    policy.add(0, Continue(ROOT, 1, None, None, 1, **asking))
    assert policy._engine.asked[0].logprobs == told


def test_a_box_ends_the_solution(policy: VLLMPolicy) -> None:
    result = finish(policy, "So $\\boxed{7}$.\n\nCompute $4$.\n\n")
    assert [(step.text, step.stop) for step in result.steps] == [("So $\\boxed{7}$.\n\n", Stop.END)]


def test_tokens_beyond_the_tokenizer_have_no_text(policy: VLLMPolicy) -> None:
    beyond = len(policy.tokenizer) + 3
    policy._engine.solution = [beyond, policy.tokenizer.eos_token_id]
    policy.add(0, Continue(ROOT, 1, None, None, 1))
    done = []
    while not done:
        done = policy.step()
    (step,) = done[0][1].steps
    assert (step.tokens, step.text, step.stop) == ((beyond, policy.tokenizer.eos_token_id), "", Stop.END)


def test_limits(policy: VLLMPolicy) -> None:
    budget = finish(policy, "Compute $3$.\n\nCompute $4$.\n\n", max_tokens=3, capped=True)
    assert [step.stop for step in budget.steps] == [Stop.BUDGET] and len(budget.steps[0].tokens) == 3
    assert policy._engine.asked[-1].max_tokens == 3


def test_a_full_context_is_said_and_costs_nothing(policy: VLLMPolicy) -> None:
    policy._engine.context = 512
    long = ROOT.extend([Step(0, tuple([5] * 512), "x", Stop.STEP)])
    policy.add(0, Continue(long, None, None, None, 1))
    ((_, result),) = policy.step()
    assert [(step.tokens, step.stop) for step in result.steps] == [((), Stop.LENGTH)]
    assert not policy._engine.asked


def test_what_was_computed_is_counted(policy: VLLMPolicy) -> None:
    first = finish(policy, "Compute $3$.\n\nCompute $4$.\n\n", max_steps=1)
    assert first.cached_tokens == 0
    second = finish(policy, "Compute $3$.\n\nCompute $4$.\n\n", trajectory=ROOT.extend(first.steps), max_steps=1)
    assert second.prompt_tokens == first.prompt_tokens + len(first.steps[0].tokens)
    assert second.cached_tokens == (second.prompt_tokens - 1) // BLOCK * BLOCK
    policy.reset()
    blank = finish(policy, "\n\nCompute $3$.\n\n", max_steps=1)
    # The second request computed the last, unfinished block once more; its last token had yet to be read.
    again = policy._engine.asked[-1].tokens
    assert blank.cached_tokens == max(0, -(len(again) - 1 - (len(again) - 1) // BLOCK * BLOCK))


def test_memory_does_not_decide_which_solutions_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    class Small(Engine):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)
            self.context = 59

    monkeypatch.setattr("ttcs.policies.vllm.Engine", Small)
    assert VLLMPolicy(tiny.folder(), 0.8, 1.0, 59, 8).capacity == 8
    with pytest.raises(UserError, match=r"^policy: .* sequences of 59 tokens, and policy.max_tokens=60"):
        VLLMPolicy(tiny.folder(), 0.8, 1.0, 60, 8)


def test_reset_gives_up_what_is_running(policy: VLLMPolicy) -> None:
    policy._engine.solution = [5] * 100
    policy.add(0, Continue(ROOT, None, None, None, 1))
    policy.step()
    policy.reset()
    assert policy._engine.aborted == ["0"] and policy.step() == []


def test_a_request_that_the_engine_gave_up_is_told(policy: VLLMPolicy) -> None:
    policy._engine.solution, policy._engine.reason = [5] * 100, "error"
    policy.add(0, Continue(ROOT, None, None, None, 1))
    with pytest.raises(EngineError, match="error"):
        policy.step()


def test_seeds() -> None:
    assert seed(2**64 - 1, []) == 2**63 - 1  # the largest that vLLM takes
    assert len({seed(3, written) for written in ([], [1], [1, 1], [11], [2])}) == 5
    assert all(0 <= seed(k, [4, 5]) < 2**63 for k in range(50))


def test_the_tokenizer_of_the_tests_knows_blank_lines() -> None:
    tokenizer = load_tokenizer(tiny.folder())
    assert tokenizer.decode(tokenizer("\n", add_special_tokens=False).input_ids) == "\n"


def test_a_request_that_is_given_up_is_aborted_and_says_what_it_has_come_to(policy: VLLMPolicy) -> None:
    tokens = policy.tokenizer("Compute $3$.\n\nCompute $4$.\n\n", add_special_tokens=False).input_ids
    policy._engine.solution = [*tokens, *[5] * 100]
    for ticket in (0, 1, 2):
        policy.add(ticket, Continue(ROOT, None, None, None, ticket))
    assert policy.cancel(2) is None  # the engine has said nothing of it
    for _ in range(len(tokens) + 3):
        policy.step()
    result = policy.cancel(1)
    assert result is not None and policy._engine.aborted == ["2", "1"]
    assert [step.text for step in result.steps] == ["Compute $3$.\n\n", "Compute $4$.\n\n"]
    assert (result.unseen, result.prompt_tokens) == (3, policy._engine.prompt)
    while not (done := policy.step()):
        pass
    assert [ticket for ticket, _ in done] == [0]


def test_a_request_that_was_done_when_it_was_given_up_is_not_handed_out_again(policy: VLLMPolicy) -> None:
    long = ROOT.extend([Step(0, tuple([5] * 512), "x", Stop.STEP)])
    policy.add(0, Continue(long, None, None, None, 1))
    result = policy.cancel(0)
    assert result is not None and [step.stop for step in result.steps] == [Stop.LENGTH]
    assert policy.step() == [] and policy._engine.aborted == []

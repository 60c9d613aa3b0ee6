"""The service, asked by the openai client on this machine."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

import ttcs
from tests.serve.running import running
from ttcs.core import Continue, Continued, Problem, Stop
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.records.record import CandidateRecord, NodeRecord, Record
from ttcs.search.ledger import Ledger
from ttcs.serve.settings import Settings
from ttcs.solving.found import Found
from ttcs.solving.progress import Progress

pytest.importorskip("starlette")
openai = pytest.importorskip("openai")
pytest.importorskip("uvicorn")

HERE = __name__
QUESTION = "What is 1 and 1?"
METHODS = {
    "greedy": ["strategy=greedy"],
    "dvts-8": ["strategy=dvts", "n=8"],
    "by-text": ["strategy=best_of_n", "n=8", "selection=majority", "answer=text", "answer.behind='boxed{'"],
    "by-verifier": ["strategy=best_of_n", "n=8", "selection=best", "answer=none"],
}
ENGINES: list[Held] = []


@dataclass
class Held(ScriptedPolicy):
    """Keeps questions with `hold` in them until they are given up, or let go."""

    kept: dict[int, Continue] = field(default_factory=dict)
    free: threading.Event = field(default_factory=threading.Event)
    seen: dict[str, Problem] = field(default_factory=dict)
    slowly: bool = False

    def __post_init__(self) -> None:
        ENGINES.append(self)

    def add(self, ticket: int, request: Continue) -> None:
        self.seen[request.trajectory.problem.id] = request.trajectory.problem
        if "hold" in request.trajectory.problem.question:
            self.kept[ticket] = request
        else:
            ScriptedPolicy.add(self, ticket, request)

    def cancel(self, ticket: int) -> Continued | None:
        self.kept.pop(ticket, None)
        return ScriptedPolicy.cancel(self, ticket)

    def step(self) -> list[tuple[int, Continued]]:
        sleep(0.15 if self.slowly else 0.002)
        if self.free.is_set():
            while self.kept:
                ScriptedPolicy.add(self, *self.kept.popitem())
        return ScriptedPolicy.step(self)


@pytest.fixture(scope="module")
def solver() -> Iterator[ttcs.Solver]:
    words = f"policy._target_={HERE}.Held", "policy=scripted", "policy.accuracy=[0.7,0.7,0.7,0.7,0.7]", "prm=scripted"
    with ttcs.solver(*words) as made:
        yield made


@pytest.fixture
def engine(solver: ttcs.Solver) -> Iterator[Held]:
    found = ENGINES[-1]
    found.free.clear()
    yield found
    found.free.set()
    until(lambda: not found.kept)


@pytest.fixture
def service(solver: ttcs.Solver) -> Iterator[str]:
    """Its address."""
    from ttcs.serve.app import app

    settings = Settings("127.0.0.1", 0, None, 3, 64, 2000, 0.05, 10, METHODS, None, 5)
    with running(app(solver, settings, "secret")) as address:
        yield address


@pytest.fixture
def client(service: str) -> Any:
    return openai.OpenAI(base_url=f"{service}/v1", api_key="secret", max_retries=0)


def ask(client: Any, model: str = "dvts-8", question: str = QUESTION, **more: Any) -> Any:
    messages = more.pop("messages", [{"role": "user", "content": question}])
    return client.chat.completions.create(model=model, messages=messages, **more)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def until(holds: Callable[[], bool]) -> None:
    ends = monotonic() + 60
    while not holds():
        assert monotonic() < ends
        sleep(0.01)


def searches(service: str) -> int:
    with urlopen(f"{service}/health", timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
        return int(found["searches"])


def test_the_answer_is_the_one_of_the_library(client: Any, solver: ttcs.Solver) -> None:
    told = ask(client, seed=3)
    found = solver.solve(QUESTION, *METHODS["dvts-8"], seed=3)
    assert told.choices[0].message.content == found.text and told.choices[0].finish_reason == "stop"
    assert (told.ttcs["answer"], told.ttcs["confidence"]) == (found.answer, found.confidence)
    assert (told.usage.prompt_tokens, told.usage.completion_tokens) == (
        found.ledger.prompt_tokens, found.ledger.decoded_tokens
    )  # fmt: skip
    assert told.usage.prm_tokens == found.ledger.prm_tokens and "candidates" not in told.ttcs


def test_methods_are_models(client: Any) -> None:
    assert [model.id for model in client.models.list()] == list(METHODS)
    greedy = ask(client, "greedy", extra_body={"ttcs": {"candidates": True}})
    assert len(greedy.ttcs["candidates"]) == 1
    wide = ask(client, "greedy", extra_body={"ttcs": {"strategy": "best_of_n", "n": 5, "candidates": True}})
    assert len(wide.ttcs["candidates"]) == 5


def test_questions_need_not_be_mathematics(client: Any, solver: ttcs.Solver) -> None:
    """A vote by text as it stands, here what stands behind the box, and the best of n whatever they say."""
    voted = ask(client, "by-text", extra_body={"ttcs": {"candidates": True}})
    texts = [one["answer"] for one in voted.ttcs["candidates"]]
    assert voted.ttcs["answer"] == max(texts, key=texts.count) and voted.ttcs["answer"][0].isdigit()
    assert voted.ttcs["confidence"] == texts.count(voted.ttcs["answer"]) / 8 > 1 / 8
    best = ask(client, "by-verifier", extra_body={"ttcs": {"candidates": True}})
    scores = [one["score"] for one in best.ttcs["candidates"]]
    assert scores[solver.solve(QUESTION, *METHODS["by-verifier"]).record.chosen or 0] == max(scores)
    assert best.ttcs["answer"] == best.choices[0].message.content.strip()
    assert len(ask(client, "by-verifier", n=8).choices) == 8


def test_n_is_the_best_distinct_answers_and_stop_ends_the_text(client: Any) -> None:
    told = ask(client, n=3, temperature=1.0)
    texts = [choice.message.content for choice in told.choices]
    assert 1 < len(texts) <= 3 and len(set(texts)) == len(texts)
    (cut,) = ask(client, stop=["\n\n", "never"], temperature=1.0).choices
    assert cut.message.content == texts[0].partition("\n\n")[0]


def test_solutions_have_as_many_tokens_as_the_client_takes(client: Any) -> None:
    own = {"ttcs": {"strategy": "best_of_n", "n": 5, "candidates": True}}
    cut = ask(client, "greedy", max_tokens=5, extra_body=own)
    assert cut.choices[0].finish_reason == "length" and cut.choices[0].message.content
    assert cut.ttcs["answer"] is None and cut.usage.completion_tokens == 25
    assert ask(client, max_tokens=9, max_completion_tokens=5000).choices[0].finish_reason == "length"
    assert ask(client, max_completion_tokens=5000).choices[0].finish_reason == "stop"


def test_without_an_answer_the_best_solution_that_ended_is_given() -> None:
    from ttcs.serve import reply
    from ttcs.serve.request import Asked

    def told(stops: str, scores: list[float | None], until: tuple[str, ...] = ()) -> tuple[str, str]:
        ends = {"e": Stop.END, "l": Stop.LENGTH, "c": Stop.CUT}
        tree = tuple(NodeRecord(i, None, f"text {i}", 5, ends[stop], None) for i, stop in enumerate(stops))
        candidates = tuple(
            CandidateRecord(i, None, None, score, None, 5, ends[stop], None)
            for i, (stop, score) in enumerate(zip(stops, scores, strict=True))
        )
        problem = Problem("q", QUESTION)
        record = Record("q", None, None, None, None, None, None, 0.0, Ledger(), candidates, tree)
        asked = Asked("greedy", problem, 1, until, False, False, False, False, {})
        (choice,) = reply.whole(Found(problem, record, True), asked)["choices"]
        return choice["message"]["content"], choice["finish_reason"]

    assert told("lee", [None, 0.2, 0.7]) == ("text 2", "stop")
    assert told("ee", [None, None]) == ("text 0", "stop")
    assert told("llc", [0.1, 0.9, 0.3]) == ("text 1", "length")
    assert told("le", [0.9, None]) == ("text 1", "stop")
    assert told("l", [None], (" ",)) == ("text", "stop")
    assert told("", []) == ("", "length")


def test_a_conversation_is_told_to_the_policy_and_the_last_question_is_judged(client: Any) -> None:
    before = [{"role": "system", "content": "Be brief."}, user("Say one"), {"role": "assistant", "content": "one"}]
    told, bare = ask(client, "greedy", messages=[*before, user(QUESTION)]), ask(client, "greedy")
    assert told.usage.prompt_tokens == bare.usage.prompt_tokens + 5
    assert told.ttcs["record"] != bare.ttcs["record"]
    seen = ENGINES[-1].seen
    assert [(one.role, one.content) for one in seen[told.ttcs["record"]].before] == [
        ("system", "Be brief."), ("user", "Say one"), ("assistant", "one")
    ]  # fmt: skip
    assert seen[told.ttcs["record"]].question == QUESTION


def test_when_the_time_is_up_the_best_so_far_is_given(client: Any, engine: Held) -> None:
    late = ask(client, question="hold", extra_body={"ttcs": {"seconds": 0.3}})
    assert (late.ttcs["late"], late.ttcs["answer"], late.choices[0].finish_reason) == (True, None, "length")
    assert late.choices[0].message.content == "" and not engine.kept
    told = ask(client, extra_body={"ttcs": {"seconds": 500}})
    assert told.ttcs["late"] is False and told.choices[0].message.content == ask(client).choices[0].message.content


def test_a_stream_says_the_same(client: Any, service: str, engine: Held) -> None:
    whole = ask(client, seed=5)
    chunks = list(ask(client, seed=5, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage and chunks[-2].choices[0].finish_reason == "stop"
    threading.Timer(0.5, engine.free.set).start()
    body = json.dumps({"model": "greedy", "messages": [{"role": "user", "content": "hold on"}], "stream": True})
    with raw(service, body) as answer:
        lines = answer.read().decode().splitlines()
    assert lines.count(": searching") > 1 and lines[-2] == "data: [DONE]"


def test_a_stream_says_how_far_the_search_is_if_asked(client: Any, engine: Held) -> None:
    def thoughts(**own: Any) -> tuple[list[str], str]:
        engine.free.clear()
        threading.Timer(1.0, engine.free.set).start()
        chunks = list(ask(client, question="hold on", stream=True, extra_body={"ttcs": own}))
        assert len({chunk.id for chunk in chunks}) == 1
        deltas = [chunk.choices[0].delta for chunk in chunks]
        said = [one.reasoning_content for one in deltas if getattr(one, "reasoning_content", None)]
        assert all(one.content is None for one in deltas[: len(said)])
        return said, "".join(one.content or "" for one in deltas)

    bare, answer = thoughts()
    engine.slowly = True
    said, same = thoughts(progress=True)
    engine.slowly = False
    assert bare == [] and answer == same != ""
    numbers = [[int(word) for word in line.split() if word.isdigit()] for line in said]
    assert len(numbers) > 1 and numbers == sorted(numbers) and numbers[-1][1] > 0
    assert all(line.endswith(" tokens so far\n") for line in said)  # more may end than are candidates: siblings do


def test_progress_counts_what_the_ledger_does(solver: ttcs.Solver) -> None:
    for strategy, n in (("best_of_n", 6), ("lookahead", 8)):
        progress = Progress()
        found = asyncio.run(solver.asolve(QUESTION, strategy=strategy, n=n, progress=progress))
        assert progress.tokens == found.ledger.decoded_tokens > 0
        assert progress.ended == sum(one.finished for one in found.candidates) > 0


def raw(service: str, body: str | bytes, key: str = "secret", kind: str | None = "application/json") -> Any:
    content = body.encode() if isinstance(body, str) else body
    headers = {"Authorization": f"Bearer {key}", **({} if kind is None else {"Content-Type": kind})}
    return urlopen(Request(f"{service}/v1/chat/completions", content, headers), timeout=30)


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_has_its_search_given_up(client: Any, service: str, engine: Held, stream: bool) -> None:
    body = json.dumps({"model": "dvts-8", "messages": [{"role": "user", "content": "hold"}], "stream": stream}).encode()
    host, port = service.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer secret\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        until(lambda: len(engine.kept) == 8)
        assert searches(service) == 1
        assert ask(client).choices  # others are served meanwhile
    until(lambda: not engine.kept and searches(service) == 0)


def test_beyond_what_it_can_keep_clients_are_told_to_come_again(client: Any, service: str, engine: Held) -> None:
    threads = [threading.Thread(target=ask, args=(client, "greedy", "hold")) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: searches(service) == 3)
    with pytest.raises(openai.RateLimitError) as told:
        ask(client)
    assert told.value.response.headers["retry-after"] == "1" and told.value.code == "queue_full"
    engine.free.set()
    for thread in threads:
        thread.join()
    assert ask(client).choices


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({"model": "gpt"}, 404, "there is no model gpt; there are greedy, dvts-8"),
        ({"n": 100_000}, 400, "n=100000 is not a whole number of at least 1 and at most 64"),
        ({"extra_body": {"ttcs": {"n": 65}}}, 400, "n=65 is not a whole number"),
        ({"extra_body": {"ttcs": {"n": 7}}}, 400, "n=7 is not a multiple of width=4"),
        ({"extra_body": {"ttcs": {"strategy": "x y"}}}, 400, "strategy"),
        ({"extra_body": {"ttcs": {"policy": "zoo"}}}, 400, "ttcs has no policy"),
        ({"extra_body": {"ttcs": {"seconds": 0}}}, 400, "seconds=0 is not a number of more than 0 and at most 86400"),
        ({"extra_body": {"surprise": 1}}, 400, "surprise is not known here"),
        ({"temperature": -1}, 400, "temperature=-1 is not a number of at least 0 and at most 2"),
        ({"model": "greedy", "temperature": 0.7}, 400, "temperature=0.7 cannot be honoured: the strategy samples at 0"),
        ({"model": "greedy", "extra_body": {"ttcs": {"n": 4}}}, 400, "ttcs.n=4 cannot be honoured: n changes nothing"),
        ({"extra_body": {"stream_options": 5}}, 400, "stream_options=5 is not an object"),
        ({"extra_body": {"stream_options": {"x": 1}}}, 400, "stream_options has no x; it has include_usage"),
        ({"extra_body": {"stream_options": {"include_usage": 1}}}, 400, "stream_options.include_usage=1 is neither"),
        ({"extra_body": {"top_p": True}}, 400, "top_p=true cannot be honoured"),
        ({"extra_body": {"logprobs": 0}}, 400, "logprobs=0 cannot be honoured"),
        ({"extra_body": {"n": True}}, 400, "n=true is not a whole number"),
        ({"extra_body": {"store": True}}, 400, "store=true cannot be honoured"),
        ({"extra_body": {"user": 5}}, 400, "user=5 is not a text"),
        ({"seed": 1, "extra_body": {"ttcs": {"seed": 2}}}, 400, "seed=1 and ttcs.seed=2 are two seeds"),
        ({"extra_body": {"ttcs": {"progress": True}}}, 400, "ttcs.progress is of a stream"),
        ({"max_tokens": 0}, 400, "max_tokens=0 is not a whole number of at least 1"),
        ({"top_p": 0.5}, 400, "top_p=0.5 cannot be honoured"),
        ({"tools": [{"type": "function"}]}, 400, "tools="),
        ({"messages": []}, 400, "messages is not a list of messages"),
        ({"messages": [user("?"), user("?")]}, 400, "messages have the roles user, user: behind those of"),
        ({"messages": [user("?"), {"role": "system", "content": "Be brief."}]}, 400, "messages have the roles"),
        ({"messages": [{**user("?"), "name": "Ada"}]}, 400, "the name of a message cannot be honoured"),
        ({"messages": [{"role": "user", "content": " "}]}, 400, "the message has no text"),
        ({"question": "x" * 3000}, 413, "the body has more than 2000 bytes"),
    ],
)
def test_what_cannot_be_honoured_is_refused(given: dict[str, Any], status: int, said: str, client: Any) -> None:
    with pytest.raises(openai.APIStatusError) as told:
        ask(client, **given)
    assert told.value.status_code == status and said in told.value.message
    assert ask(client, "greedy").choices


def test_what_is_so_anyway_is_taken(client: Any) -> None:
    idle = {"top_p": 1.0, "frequency_penalty": 0, "logprobs": False, "tools": [], "stream_options": None, "user": "me"}
    own = {"n": None, "seed": None, "strategy": None}
    told = ask(client, "greedy", temperature=0, seed=3, extra_body={**idle, "ttcs": own})
    assert told.choices[0].message.content == ask(client, "greedy", seed=3).choices[0].message.content


@pytest.mark.parametrize("given", [{"n": 7}, {"seconds": 0}, {"strategy": "dvt"}, {"tokens": 0}])
def test_a_stream_is_refused_before_it_begins(given: dict[str, Any], client: Any) -> None:
    with pytest.raises(openai.BadRequestError):
        ask(client, stream=True, extra_body={"ttcs": given})


@pytest.fixture
def narrow(solver: ttcs.Solver) -> Iterator[Any]:
    """A client of a service that allows little."""
    from ttcs.serve.app import app

    methods = {**METHODS, "own": ["strategy=best_of_n", "n=8", "budget=generations", "budget.generations=3"]}
    more = {"allow": ["tokens", "generations", "seconds", "candidates"], "most_tokens": 400, "most_seconds": 0.5}
    settings = Settings("127.0.0.1", 0, None, 3, 64, 2000, 0.05, 10, methods, None, 5, **more)  # type: ignore[arg-type]
    with running(app(solver, settings, None)) as address:
        yield openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)


def test_a_service_says_what_requests_may_set(narrow: Any) -> None:
    for key, value in (("strategy", "dvts"), ("n", 4), ("seed", 1), ("progress", True)):
        with pytest.raises(openai.BadRequestError) as told:
            ask(narrow, stream=True, extra_body={"ttcs": {key: value}})
        assert told.value.param == f"ttcs.{key}"
        assert f"{key} may not be set here; what may: tokens, generations, seconds, candidates" in told.value.message
    for key, value, most in (("tokens", 401, 400), ("seconds", 0.6, 0.5)):
        with pytest.raises(openai.BadRequestError, match=f"{key}={value} is not .* and at most {most}"):
            ask(narrow, extra_body={"ttcs": {key: value}})
    assert ask(narrow, seed=1, extra_body={"ttcs": {"n": None, "tokens": 400, "seconds": 0.5}}).choices


def test_what_a_service_gives_at_most_holds_where_nothing_is_asked(narrow: Any, engine: Held, client: Any) -> None:
    assert ask(narrow, question="hold").ttcs["late"] and not engine.kept
    assert ask(client).usage.completion_tokens > 400 >= ask(narrow).usage.completion_tokens > 0
    many = ask(narrow, extra_body={"ttcs": {"generations": 10**6}})
    assert many.usage.completion_tokens <= 400
    kept = ask(narrow, "own", extra_body={"ttcs": {"candidates": True}})
    assert len(kept.ttcs["candidates"]) == kept.ttcs["ledger"]["generations"] == 3


NO_OPTIONS = (
    "{_target_:os.abort}",
    "x${oc.env:PATH}",
    "${oc.env:PATH}",
    "../../../tmp/evil",
    "../strategy/dvts",
    "[best,majority]",
    "best,majority",
    "null",
    "",
    "dvts ",
    "dvts.yaml",
    "+dvts",
    "dvts n=3",
    "dvts\nn=3",
    7,
    True,
    ["dvts"],
    {"_target_": "os.abort"},
)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("group", ["strategy", "selection", "reduction"])
def test_options_are_named_and_nothing_else_is_read(group: str, stream: bool, client: Any) -> None:
    for name in NO_OPTIONS:
        with pytest.raises(openai.BadRequestError) as told:
            ask(client, stream=stream, extra_body={"ttcs": {group: name}})
        assert told.value.param == f"ttcs.{group}" and f"{group} has no option " in told.value.message
        assert "\n" not in told.value.body["message"] and "/bin" not in told.value.message
    assert ask(client, extra_body={"ttcs": {group: None}}).choices


def test_options_in_a_folder_of_ones_own_are_named_too(tmp_path: Path) -> None:
    from ttcs.serve.app import app

    (tmp_path / "strategy").mkdir()
    (tmp_path / "strategy" / "own.yaml").write_text("_target_: ttcs.strategies.best_of_n.BestOfN\nn: ${n}\n")
    settings = Settings("127.0.0.1", 0, None, 3, 64, 2000, 0.05, 10, METHODS, None, 5)
    with (
        ttcs.solver("policy=scripted", "prm=scripted", config_dir=tmp_path) as made,
        running(app(made, settings, None)) as address,
    ):
        client = openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)
        told = ask(client, extra_body={"ttcs": {"strategy": "own", "n": 3, "candidates": True}})
        assert len(told.ttcs["candidates"]) == 3
        with pytest.raises(openai.BadRequestError, match="strategy has no option other"):
            ask(client, extra_body={"ttcs": {"strategy": "other"}})


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json", ""])
def test_what_a_page_could_send_is_no_request(kind: str, service: str) -> None:
    body = json.dumps({"model": "greedy", "messages": [user(QUESTION)]})
    with pytest.raises(HTTPError) as told:
        raw(service, body, kind=kind)
    assert told.value.code == 415
    assert json.load(told.value)["error"]["message"].endswith(f"{kind or 'missing'}, not application/json")
    with raw(service, body, kind="Application/JSON; charset=utf-8") as answer:
        assert json.load(answer)["choices"]


@pytest.mark.parametrize("path", ["/", "/v1/models", "/v1/chat/completions"])
@pytest.mark.parametrize(
    "name", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "[::2]:8000", "[::1", "a_b.example", "a b"]
)
def test_a_page_whose_name_was_made_to_point_here_is_not_let_in(path: str, name: str, service: str) -> None:
    headers = {"Host": name, "Content-Type": "application/json", "Authorization": "Bearer secret"}
    body = json.dumps({"model": "greedy", "messages": [user(QUESTION)]}).encode() if "chat" in path else None
    with pytest.raises(HTTPError) as told:
        urlopen(Request(f"{service}{path}", body, headers), timeout=30)
    assert told.value.code == 421 and "serve.hosts" in json.load(told.value)["error"]["message"]


@pytest.mark.parametrize(
    ("host", "hosts", "let_in"),
    [
        ("127.0.0.1", None, {"127.0.0.1", "localhost", "::1"}),
        ("0.0.0.0", None, {"127.0.0.1", "localhost", "::1", "10.0.0.7", "models.example.org"}),
        ("127.0.0.1", ["models.example.org"], {"models.example.org"}),
    ],
)
def test_names_that_a_service_answers_to(host: str, hosts: list[str] | None, let_in: set[str]) -> None:
    settings = Settings(host, 0, None, 3, 64, 2000, 0.05, 10, METHODS, None, 5, hosts=hosts)
    assert {
        name for name in ("127.0.0.1", "localhost", "::1", "10.0.0.7", "models.example.org") if settings.named(name)
    } == let_in


@pytest.mark.parametrize("key", ["n", "tokens", "generations", "flops", "seed", "seconds"])
def test_numbers_that_nobody_means_are_refused(key: str, client: Any) -> None:
    for number in (10**400, -(10**400), 2**63, 2.5e300, True, "8", [8]):
        with pytest.raises(openai.BadRequestError) as told:
            ask(client, extra_body={"ttcs": {key: number}})
        assert f"{key}=" in told.value.message or f"{key} is a number beyond" in told.value.message


def test_what_was_served_is_counted(client: Any, service: str) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    told = ask(client)
    with pytest.raises(openai.NotFoundError):
        ask(client, "gpt")
    with pytest.raises(Exception, match="401"):
        urlopen(f"{service}/metrics", timeout=30)
    with urlopen(Request(f"{service}/metrics", headers={"Authorization": "Bearer secret"}), timeout=30) as answer:
        families = list(parser.text_string_to_metric_families(answer.read().decode()))
    found = {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}
    assert found["ttcs_requests_total", "200"] == found["ttcs_requests_total", "404"] == 1
    assert found["ttcs_request_seconds_count",] == found["ttcs_request_seconds_bucket", "+Inf"] == 2
    assert found["ttcs_decoded_tokens_total",] == told.usage.completion_tokens
    assert found["ttcs_prm_tokens_total",] == told.usage.prm_tokens > 0
    assert found["ttcs_searches",] == found["ttcs_queued",] == 0


def test_a_body_that_is_none_and_a_key_that_is_wrong(service: str) -> None:
    for body, key, status in (("{", "secret", 400), (b"\xff", "secret", 400), ("[1]", "secret", 400), ("{}", "", 401)):
        with pytest.raises(Exception) as told:
            raw(service, body, key)
        assert told.value.code == status  # type: ignore[attr-defined]
        assert set(json.load(told.value)["error"]) == {"message", "type", "param", "code"}  # type: ignore[arg-type]

"""G1 and G2: tokens computed over tokens there are. Exact counts, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchmarks import zoo
from benchmarks.harness import Effort, Limit, Result, Side, Spread
from ttcs.config.components import build
from ttcs.models.load import load_tokenizer
from ttcs.prms.format import Reader
from ttcs.search.execution import Outcome

READ = Limit(1.2)  # for a cache in blocks of 16; ours is by the token
DECODED = Limit(1.03)


def trie_size(sequences: Iterable[Sequence[int]]) -> int:
    """Tokens of sequences of which every shared beginning counts once."""
    root: dict[int, dict] = {}  # type: ignore[type-arg]
    size = 0
    for sequence in sequences:
        node = root
        for token in sequence:
            if token not in node:
                node[token] = {}
                size += 1
            node = node[token]
    return size


def conversations(outcome: Outcome, reader: Reader) -> Iterator[Sequence[int]]:
    """What the PRM has to have read for the scores in a tree."""
    nodes = {node.step.node: node for node in outcome.tree}
    for node in outcome.tree:
        if node.step.score is None:
            continue
        texts: list[str] = []
        place: int | None = node.step.node
        while place is not None:
            if not nodes[place].step.blank:
                texts.append(nodes[place].step.text)
            place = nodes[place].parent
        prefix = reader(outcome.problem, texts[::-1])[-1]
        assert prefix is not None
        yield prefix


def measure(effort: Effort) -> Iterator[Result]:
    tasks = zoo.problems(effort.problems)
    for name in ("best_of_n", "beam_search", "dvts"):
        outcomes = zoo.search(zoo.strategy(name, effort.n), tasks, zoo.policy(), zoo.prm())
        yield read(name, outcomes, effort.n)
        if name != "best_of_n":
            yield decoded(name, outcomes, effort.n)


def read(name: str, outcomes: Sequence[Outcome], n: int) -> Result:
    """All problems in one tree: they share the chat template's head."""
    model = zoo.configured().prm.model
    reader = build(zoo.configured().prm, "format").reader(load_tokenizer(model), model)
    tree = trie_size(sequence for outcome in outcomes for sequence in conversations(outcome, reader))
    counters = zoo.counters(outcomes)
    counts = {"PRM tokens": counters["prm_tokens"], "tree": tree, "decoded": counters["decoded_tokens"]}
    ratio = Spread.exact(counts["PRM tokens"] / tree)
    return Result(
        "G1",
        f"{name}, n = {n}: PRM tokens computed / tokens of the tree",
        ratio,
        READ,
        sides={"": Side(counters=counts)},
    )


def decoded(name: str, outcomes: Sequence[Outcome], n: int) -> Result:
    spent = sum(outcome.ledger.decoded_tokens - outcome.ledger.lookahead_tokens for outcome in outcomes)
    recorded = sum(len(node.step.tokens) for outcome in outcomes for node in outcome.tree)
    counts = {"decoded": spent, "recorded": recorded}
    ratio = Spread.exact(spent / recorded)
    return Result(
        "G2",
        f"{name}, n = {n}: tokens decoded / tokens in the result tree",
        ratio,
        DECODED,
        sides={"": Side(counters=counts)},
    )

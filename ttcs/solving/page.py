"""What a search has found, as HTML for a notebook: answers with their weight, the cost, and the tree to unfold."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from ttcs.records.record import NodeRecord

if TYPE_CHECKING:
    from ttcs.solving.found import Found

ANSWERS, STEPS = 8, 400  # that are shown at most
STYLE = "margin:0;padding-left:1.2em;list-style:none;font-family:monospace;white-space:pre-wrap"


def page(found: Found) -> str:
    return "".join(
        [
            f"<div><p>{escape(found.problem.question)}</p>",
            f"<p><b>{escape(str(found.answer))}</b> with {found.confidence:.0%} of the weight</p>",
            _answers(found),
            f"<p>{escape(_cost(found))}</p>",
            f"<details><summary>{len(found.tree)} steps</summary>{_tree(found)}</details></div>",
        ]
    )


def _answers(found: Found) -> str:
    rows = "".join(
        f"<tr><td>{escape(answer.text)}</td><td>{answer.share:.0%}</td><td>{len(answer.candidates)}</td></tr>"
        for answer in found.answers[:ANSWERS]
    )
    return f"<table><tr><th>answer</th><th>weight</th><th>candidates</th></tr>{rows}</table>"


def _cost(found: Found) -> str:
    ledger = found.ledger
    flops = ledger.policy_flops + ledger.prm_flops
    tokens = f"{ledger.decoded_tokens:,} tokens decoded, {ledger.prm_tokens:,} read by the PRM"
    return f"{tokens}, {flops:.2e} FLOPs, {ledger.seconds:.2f} s"


def _tree(found: Found) -> str:
    """Steps below the steps that they go on from; those on the way to the chosen candidate are bold."""
    below: dict[int | None, list[NodeRecord]] = {}
    for node in found.tree[:STEPS]:
        below.setdefault(node.parent, []).append(node)
    chosen = found.record.chosen
    way = set() if chosen is None else {node.node for node in found.steps(chosen)}
    left = len(found.tree) - STEPS
    return "".join(_items(below, way)) + (f"<p>and {left} more</p>" if left > 0 else "")


def _items(below: dict[int | None, list[NodeRecord]], way: set[int]) -> Iterator[str]:
    """Without recursion, as a chain may be longer than Python calls go deep."""
    waiting: list[NodeRecord | str] = [*reversed(below.get(None, []))]
    yield f'<ul style="{STYLE}">'
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
            continue
        text = escape(node.text.strip())
        score = "" if node.score is None else f" <i>{node.score:.3f}</i>"
        yield f"<li>{f'<b>{text}</b>' if node.node in way else text}{score} <small>{escape(node.stop)}</small>"
        waiting.append("</li>")
        if children := below.get(node.node):
            yield f'<ul style="{STYLE}">'
            waiting += ["</ul>", *reversed(children)]
    yield "</ul>"

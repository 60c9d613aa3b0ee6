"""Which model a server serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ttcs.errors import UserError
from ttcs.servers.client import Client
from ttcs.servers.failures import NotThereError


@dataclass(frozen=True, slots=True)
class Served:
    """name: what requests call the model. context: the longest sequence it takes there, None where that is not told."""

    name: str
    context: int | None


def served(client: Client[Any], name: str | None, path: str = "models") -> Served:
    """Ask a server for its models. name: one of them; None: the only one there is, else a UserError.

    A server that is told by name which model is meant need not have a list of them.
    """
    try:
        cards = _cards(client, path)
    except NotThereError:
        if name is None:
            raise
        return Served(name, None)
    if name is None:
        if len(cards) != 1:
            listed = ", ".join(list(cards)[:8]) or "a list without names"
            raise UserError(f"{client.url} serves {listed}: choose with {client.name}.served_model=...")
        (name,) = cards
    return Served(name, cards.get(name, {}).get("max_model_len"))


def _cards(client: Client[Any], path: str) -> dict[str, Any]:
    answer = client.now(client.get(path))
    cards = answer.get("data", []) if isinstance(answer, dict) else answer  # some hosts give the list itself
    return {card["id"]: card for card in cards or () if isinstance(card, dict) and "id" in card}

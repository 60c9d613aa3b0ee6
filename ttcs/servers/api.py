"""What a policy asks of a server, and what it is told: the same whichever API the server speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ttcs.core import Continue
from ttcs.errors import UserError
from ttcs.servers.client import Client

SUPPRESSING = -100  # the least that an API adds to a logit
SEEDS = 2**31  # what every server takes


@dataclass(frozen=True, slots=True)
class Ask:
    """Go on writing a solution.

    messages: the chat up to where the assistant speaks. written: the solution so far, as text.
    prompt: tokens of both. last: text of the piece before this one, where this one is to complete it.
    stepwise: no more than the current step is wanted; else the whole solution, which ends_at_box or with its turn.
    mark: what ends the thinking, where no more than that is wanted.
    suppressed: tokens that are not to be written; then one token alone is asked for, as that holds for a whole request.
    """

    model: str
    messages: list[dict[str, str]]
    written: str
    prompt: list[int]
    last: str
    stepwise: bool
    ends_at_box: bool
    max_tokens: int
    temperature: float
    top_p: float
    seed: int
    logprobs: bool = False
    mark: str | None = None
    suppressed: Sequence[int] = ()
    top_k: int | None = None
    confidence: int | None = None

    def sampling(self) -> dict[str, Any]:
        """The fields of a request that every API calls the same."""
        bias = {"logit_bias": {str(token): SUPPRESSING for token in self.suppressed}} if self.suppressed else {}
        seed = self.seed % SEEDS
        return {"model": self.model, "temperature": self.temperature, "top_p": self.top_p, "seed": seed, **bias}

    def beside(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that a person has sent along; what we are told of ourselves goes before a default among them."""
        return dict(body) if self.top_k is None else {**body, "top_k": self.top_k}

    def stops(self) -> dict[str, Any]:
        """For servers that give text: the mark they stop at is not in it, and says no more than the end of a turn."""
        return {} if self.mark is None else {"stop": [self.mark]}


@dataclass(frozen=True, slots=True)
class Piece:
    """What the server wrote. over: the model ended its turn; cut: it was stopped before it had what it wanted to say.

    prompt_tokens, cached_tokens: of what it read, and how many of them it had in its cache; None where it does not say.
    written: tokens that it says it wrote.
    logprobs, confidences: of the tokens, where they were asked for.
    """

    tokens: list[int]
    over: bool
    cut: bool
    prompt_tokens: int | None
    cached_tokens: int | None
    written: int | None
    logprobs: list[float] | None = None
    confidences: list[float] | None = None

    @property
    def unseen(self) -> int:
        """Tokens that it wrote where it shows nothing of them."""
        return 0 if self.tokens else self.written or 0


class Api(Protocol):
    """One way to talk to a server."""

    def check(self, request: Continue) -> None:
        """UserError when a request is one that this API cannot serve."""
        ...

    async def piece(self, client: Client[Any], tokenizer: Any, ask: Ask) -> Piece:
        """At least one token, unless it is cut."""
        ...


def without_logprobs(request: Continue) -> None:
    """For an API whose text is tokenised here: what the server says of its own tokens is not of ours."""
    if request.logprobs or request.confidence is not None:
        raise UserError(
            "this API does not give the log-probabilities that the strategy asks for: choose policy/engine=server"
        )


def choice(client: Client[Any], answer: Any) -> Any:
    """The one choice that was asked for."""
    try:
        return answer["choices"][0]
    except (KeyError, IndexError, TypeError) as error:
        raise UserError(f"{client.url} does not answer like an OpenAI server: {str(answer)[:200]}") from error


Usage = tuple[int | None, int | None, int | None]


def usage(answer: Mapping[str, Any]) -> Usage:
    """Tokens read, how many of them came from the server's cache, and tokens written."""
    counts = answer.get("usage") or {}
    details = counts.get("prompt_tokens_details") or {}
    return counts.get("prompt_tokens"), details.get("cached_tokens"), counts.get("completion_tokens")


def stopped(finish: str | None, made: int, most: int) -> str:
    """Why it stopped. Servers that do not say (null) were done, unless they had written as much as they were let.

    made, most: tokens that it has written, and that it was asked for.
    """
    return finish or ("length" if made >= most else "stop")

"""An implicit PRM on transformers: one language model or two, that read the same tokens side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ttcs.core import Judge, Judged, ModelSize
from ttcs.core.queue import Queue
from ttcs.errors import UserError
from ttcs.models.hub import pinned
from ttcs.models.load import context_length, load_model, load_tokenizer, model_size
from ttcs.prms.implicit import Implicit
from ttcs.prms.likelihood import Likelihood
from ttcs.prms.prefixes import unread
from ttcs.prms.written import Writer


class TwoModelsPRM:
    """The model that judges, and the one that `format` names as the reference, each from a folder or the Hub.

    model_revision: of the Hub. batch_size: solutions read at once. cache_gb: memory for the keys and values of
    prefixes, shared out between the models. UserError for models of different vocabularies.

    Both read the same tokens, so they are charged as one model as large as both: a token once, the FLOPs of both.
    """

    def __init__(
        self,
        format: object,
        model: str,
        batch_size: int,
        dtype: str = "auto",
        device: str = "auto",
        cache_gb: float = 1.0,
        model_revision: str | None = None,
    ) -> None:
        if not isinstance(format, Implicit):
            raise UserError("prm/engine=implicit is for implicit PRMs (prm=implicit) alone")
        names = [pinned("prm", model, model_revision)]
        if format.reference is not None:
            names.append(pinned("prm.format", format.reference, format.reference_revision, key="reference_revision"))
        self._writer = Writer(_tokenizer(names), format)
        self._reward = format.reward
        loaded = [load_model(name, dtype, device) for name in names]
        self._models = [Likelihood(one, batch_size, cache_gb / len(loaded)) for one in loaded]
        self._context = min(context_length(one.config) for one in loaded)
        self.size: ModelSize = _together([model_size(name, one) for name, one in zip(names, loaded, strict=True)])
        self.capacity = batch_size
        self.cache_tokens: int | None = min(one.limit for one in self._models)
        self._queue = Queue[Judge]()

    def add(self, ticket: int, request: Judge) -> None:
        self._queue.add(ticket, request)

    def cancel(self, ticket: int) -> None:
        self._queue.cancel(ticket)

    def wake(self) -> None:
        """It waits for nobody."""

    def reset(self) -> None:
        for model in self._models:
            model.forget()

    def close(self) -> None:
        """Nothing works for it."""

    def step(self) -> list[tuple[int, Judged]]:
        """Score one batch of the waiting solutions."""
        batch = self._queue.take(self.capacity)
        return list(zip([ticket for ticket, _ in batch], self._judged([judge for _, judge in batch]), strict=True))

    def _judged(self, judges: Sequence[Judge]) -> list[Judged]:
        """A text that several ask for is charged to the first of them, and to it as the model does that read more."""
        solutions = [self._writer(judge) for judge in judges]
        texts = [solution.tokens for solution in solutions if 0 < len(solution.tokens) <= self._context]
        said, computed = zip(*(model.of(texts) for model in self._models), strict=True)
        results = []
        for solution in solutions:
            tokens = solution.tokens
            if len(tokens) > self._context:
                results.append(unread(solution.judge, self._context).judged({}, 0))
                continue
            found = [model.get(tokens, []) for model in said]
            cost = max(model.pop(tokens, 0) for model in computed)
            results.append(solution.judged(self._reward, found[0], found[1] if len(found) > 1 else [], cost))
        return results


def _tokenizer(names: Sequence[str]) -> Any:
    """The first one's. UserError where another has other tokens, or is the same model."""
    tokenizer = load_tokenizer(names[0])
    for name in names[1:]:
        if name == names[0]:
            raise UserError(
                f"prm.format.reference={name} is prm.model itself: no token would be likelier to one of them"
            )
        if load_tokenizer(name).get_vocab() != tokenizer.get_vocab():
            raise UserError(f"prm.format.reference={name} has another vocabulary than prm.model={names[0]}")
    return tokenizer


def _together(sizes: Sequence[ModelSize]) -> ModelSize:
    """One model that costs as much as all of them; of layers and hidden size only the product counts."""
    if len(sizes) == 1:
        return sizes[0]
    name = " / ".join(size.name for size in sizes)
    return ModelSize(name, sum(size.parameters for size in sizes), 1, sum(size.layers * size.hidden for size in sizes))

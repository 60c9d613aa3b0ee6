"""Implicit PRMs (Yuan et al., 2024, "Free process rewards without process labels"): language models compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from ttcs.errors import UserError
from ttcs.prms.rewards import Reward

ELSEWHERE = "prm/engine=implicit is the only one that reads the two models of an implicit PRM"


@dataclass(frozen=True, slots=True)
class Implicit:
    """The policy's chat: the question, and behind it the solution as it was written, without the end of its turn.

    reward: what is made of its tokens' likelihoods. reference: the second model, a folder or the Hub's, of the Hub at
    reference_revision; None where the reward compares nothing. system_prompt, chat_template: as the policy's.

    remark: what a step begins with that only says what it makes of the steps before it, a check, say: it is read, but
    its score is that of the step before, and its tokens count in no other step's (None: all steps count).
    """

    reward: Reward
    reference: str | None = None
    reference_revision: str | None = None
    system_prompt: str | None = None
    chat_template: str | None = None
    remark: str | None = None

    def __post_init__(self) -> None:
        if self.reward.compares and self.reference is None:
            raise UserError("prm.format.reference is missing: this reward compares two models")
        if self.remark is not None and not self.remark.strip():
            raise UserError("prm.format.remark is blank: every step begins so; null has none of them left out")
        if not self.reward.compares and self.reference is not None:
            raise UserError(f"prm.format.reference={self.reference}: this reward compares nothing, leave it null")

    def remarks(self, step: str) -> bool:
        """Whether a step is a remark."""
        return self.remark is not None and step.lstrip().startswith(self.remark)

    @property
    def head(self) -> NoReturn:
        raise UserError(ELSEWHERE)

    def reader(self, tokenizer: Any, model: str) -> NoReturn:
        """Other engines ask for one, and read a score off a single token."""
        raise UserError(ELSEWHERE)

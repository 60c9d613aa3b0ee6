"""A policy that answers in words."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ttcs.core import Continue, Continued
from ttcs.policies.scripted import ScriptedPolicy

WORDS = "City:  Paris", "City: PARIS", "City: Lyon"


@dataclass(slots=True)
class Worded(ScriptedPolicy):
    """Every solution ends in one of three texts, two of which differ in capitals and white space alone."""

    def continued(self, request: Continue) -> Continued:
        result = ScriptedPolicy.continued(self, request)
        last = replace(result.steps[-1], text=f"\n{WORDS[request.seed % 3]}\n")
        return replace(result, steps=(*result.steps[:-1], last))


POLICY = "policy=scripted", f"policy._target_={__name__}.Worded"

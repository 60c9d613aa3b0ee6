"""What the service is told."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ttcs.errors import UserError
from ttcs.solving.solver import Solver


@dataclass(frozen=True, slots=True)
class Settings:
    """See conf/serve.yaml. methods: name -> words. records: None: nothing is kept."""

    host: str
    port: int
    api_key_env: str | None
    at_once: int
    most_n: int
    body: int
    keep_alive: float
    drain: int
    methods: Mapping[str, Sequence[str]]
    records: str | None
    shown: int

    def key(self) -> str | None:
        """That clients have to send. UserError where the variable is not there."""
        if self.api_key_env is None:
            return None
        if not (key := os.environ.get(self.api_key_env)):
            raise UserError(f"serve.api_key_env={self.api_key_env}, but there is no such environment variable")
        return key

    def check(self, solver: Solver) -> None:
        """UserError for a method that cannot be."""
        if not self.methods:
            raise UserError("serve.methods is empty: there is nothing to serve")
        for name, words in self.methods.items():
            if not isinstance(words, Sequence) or isinstance(words, str):
                raise UserError(f'serve.methods.{name}={words} is not a list of words, as ["strategy=dvts","n=16"]')
            try:
                solver.check(*words)
            except UserError as error:
                raise UserError(f"serve.methods.{name}: {error}") from error

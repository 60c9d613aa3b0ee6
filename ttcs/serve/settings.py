"""What the service is told."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ttcs.errors import UserError
from ttcs.solving.method import LIMITS
from ttcs.solving.solver import Solver

OPTIONS = "strategy", "selection", "reduction"
LOCAL = "127.0.0.1", "::1", "localhost"  # names of this machine to itself
OWN = *OPTIONS, "n", "seed", *LIMITS, "seconds", "candidates", "progress"  # keys of a request's `ttcs`


@dataclass(frozen=True, slots=True)
class Settings:
    """See conf/serve.yaml. methods: name -> words. records: None: nothing is kept. allow: some of OWN.

    most_tokens, most_seconds: None: no limit but the method's own. hosts: None: those of this machine where it listens
    to itself alone, else any.
    """

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
    allow: Sequence[str] = OWN
    most_tokens: int | None = None
    most_seconds: float | None = None
    hosts: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """UserError where it allows what there is not."""
        if not isinstance(self.allow, Sequence) or isinstance(self.allow, str):
            raise UserError(f"serve.allow={self.allow} is not a list of keys, as [n,tokens]")
        if isinstance(self.hosts, str) or not isinstance(self.hosts, Sequence | None):
            raise UserError(f"serve.hosts={self.hosts} is not a list of names, as [models.example.org]")
        if unknown := [key for key in self.allow if key not in OWN]:
            raise UserError(f"serve.allow has {unknown[0]}, which requests cannot set; they can {', '.join(OWN)}")

    def named(self, host: str) -> bool:
        """Whether a request may have come to `host`.

        Only a page whose name was made to point at this machine after it was loaded (DNS rebinding) asks a service on
        127.0.0.1 by another name than the machine's own.
        """
        hosts = self.hosts if self.hosts is not None else LOCAL if self.host in LOCAL else None
        return hosts is None or host in hosts

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

"""What a verifier says on transformers, which its engine here is compared with."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from ttcs.check import probes, samples
from ttcs.config.components import build
from ttcs.core import Judge, Judged
from ttcs.errors import UserError, told
from ttcs.vllm.cards import cards

REFERENCE = "ttcs.prms.transformers.TransformersPRM"
PLAIN = REFERENCE, "ttcs.prms.two_models.TwoModelsPRM"  # what runs on transformers
SERVER = "ttcs.prms.server.ServerPRM"
KEPT = "model", "model_revision", "format", "device"  # settings that the reference shares
READ = 8  # solutions that the reference reads at once
PATIENCE = 3600.0  # seconds: a large model over a network takes its time
GONE = 60.0  # seconds until a process that was killed has given back a GPU's memory


def missing(prm: Mapping[str, Any]) -> str | None:
    """Why there is no reference, empty where that goes without saying; None: there is one. prm: its configuration."""
    if "model" not in prm or prm["_target_"] in PLAIN:
        return ""
    if prm["_target_"] == SERVER:
        return "compared with nothing, as its model is a server's"
    if (count := len(cards(str(prm.get("device", "auto")), prm))) > 1:
        return f"compared with nothing, as the reference takes one GPU and not {count}"
    if prm.get("trust_remote_code"):
        return "compared with nothing, as the reference runs no code that comes with a model"
    return None


def judged(prm: Mapping[str, Any], patience: float = PATIENCE) -> list[Judged]:
    """The solutions of `samples`, judged in a process of their own.

    What that process holds of a GPU is free once it has ended, and in this one CUDA stays as it is for a run that
    starts engines. UserError where it comes to nothing, or takes longer than `patience` seconds.
    """
    spawning = get_context("spawn")
    ours, theirs = spawning.Pipe(duplex=False)
    process = spawning.Process(target=_judge, args=(_node(prm), theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(patience):
            raise UserError(f"prm: transformers has not judged {prm['model']} within {patience:.0f} s")
        found = ours.recv()
    except EOFError as error:
        process.join(GONE)
        raise UserError(
            f"prm: the process that runs {prm['model']} on transformers ended with exit code {process.exitcode}; the "
            "machine may have run out of memory"
        ) from error
    finally:
        process.kill()
        process.join(GONE)
    if isinstance(found, Exception):
        raise found
    answered: list[Judged] = found
    return answered


def _node(prm: Mapping[str, Any]) -> dict[str, Any]:
    return {"_target_": REFERENCE, "batch_size": READ, **{key: prm[key] for key in KEPT if key in prm}}


def _judge(node: Mapping[str, Any], link: Connection) -> None:
    try:
        link.send(probes.answers(build({"prm": node}, "prm"), [Judge(solution) for solution in samples.solutions()]))
    except Exception as error:
        link.send(told(error) or RuntimeError(traceback.format_exc()))

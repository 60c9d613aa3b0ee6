"""The work to expect where there is no pilot: a scripted pair whose solutions are as long as they are said to be.

What it computes anew is what a GPU's caches have lost: the engines are simulated ones (`ttcs.planning.engines`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ttcs.config.components import build
from ttcs.core import PRM, Problem
from ttcs.planning.device import Device
from ttcs.planning.engines import SimulatedPolicy, SimulatedPRM
from ttcs.planning.machine import Machine
from ttcs.planning.pilot import Expected
from ttcs.planning.work import simulated
from ttcs.records.grade import grade
from ttcs.running.session import METHOD
from ttcs.search.scheduler import run

PROBLEMS = 20


def pair(config: Mapping[str, Any], device: Device) -> tuple[SimulatedPolicy, SimulatedPRM]:
    """The policy and the PRM of `plan` at work on the GPU of the configuration."""
    machine: Machine = build(config, "gpu")
    plan, writer, judgement = config["plan"], build(config, "plan.policy"), build(config, "plan.prm")
    costs = [machine.costs(model.size.parameters) for model in (writer, judgement)]
    caches = [
        machine.cache_tokens(model.size.parameters, plan["kv_bytes"][name])
        for name, model in (("policy", writer), ("prm", judgement))
    ]
    policy = SimulatedPolicy(writer, costs[0], caches[0], device)
    return policy, SimulatedPRM(judgement, costs[1], caches[1], plan["template"], plan["batch_tokens"], device)


def expected(config: Mapping[str, Any]) -> Expected:
    """The strategy as configured, on 20 problems that are only levels: 1 to 5, over and over."""
    strategy, selection, reduction, budget, _ = (build(config, key) for key in METHOD)
    policy, prm = pair(config, Device())
    question = " ".join(["token"] * config["plan"]["prompt_tokens"])
    problems = [Problem(f"simulated-{i}", question, "0", level=i % 5 + 1) for i in range(PROBLEMS)]

    def load() -> PRM:
        loaded: PRM = prm
        return loaded

    outcomes = run(strategy, selection, problems, policy, load, budget, config["seed"], config["open"], config["ahead"])
    records = [grade(outcome, selection, reduction, 0.0) for outcome in outcomes]
    records.sort(key=lambda record: record.problem_id)
    return Expected(simulated(records, policy.size.parameters), f"a simulation of {PROBLEMS} problems")

"""The work to expect where there is no pilot: a scripted pair whose solutions are as long as they are said to be.

What it computes anew is what a GPU's caches have lost: the engines are simulated ones (`ttcs.planning.engines`).
"""

from __future__ import annotations

from omegaconf import DictConfig

from ttcs.components import build
from ttcs.core import PRM, Problem
from ttcs.grade import grade
from ttcs.planning.device import Device
from ttcs.planning.engines import SimulatedPolicy, SimulatedPRM
from ttcs.planning.machine import Machine
from ttcs.planning.pilot import Expected
from ttcs.planning.work import simulated
from ttcs.scheduler import run
from ttcs.session import METHOD

PROBLEMS = 20


def pair(config: DictConfig, device: Device) -> tuple[SimulatedPolicy, SimulatedPRM]:
    """The policy and the PRM of `plan` at work on the GPU of the configuration."""
    machine: Machine = build(config, "gpu")
    plan, writer, judgement = config.plan, build(config.plan, "policy"), build(config.plan, "prm")
    weights = writer.size.parameters, judgement.size.parameters
    policy = SimulatedPolicy(
        writer, machine.costs(weights[0]), machine.cache_tokens(weights[0], plan.kv_bytes.policy), device
    )
    prm = SimulatedPRM(
        judgement,
        machine.costs(weights[1]),
        machine.cache_tokens(weights[1], plan.kv_bytes.prm),
        plan.template,
        plan.batch_tokens,
        device,
    )
    return policy, prm


def expected(config: DictConfig) -> Expected:
    """The strategy as configured, on 20 problems that are only levels: 1 to 5, over and over."""
    strategy, selection, reduction, budget = (build(config, key) for key in METHOD)
    policy, prm = pair(config, Device())
    question = " ".join(["token"] * config.plan.prompt_tokens)
    problems = [Problem(f"simulated-{i}", question, "0", level=i % 5 + 1) for i in range(PROBLEMS)]

    def load() -> PRM:
        loaded: PRM = prm
        return loaded

    outcomes = run(strategy, selection, problems, policy, load, budget, config.seed, config.open)
    records = [grade(outcome, selection, reduction, 0.0) for outcome in outcomes]
    records.sort(key=lambda record: record.problem_id)
    return Expected(simulated(records, policy.size.parameters), f"a simulation of {PROBLEMS} problems")

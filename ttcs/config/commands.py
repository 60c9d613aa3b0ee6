"""The commands of the project, in the one place where they are named. Each `--help` begins with its line here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """`python -m name`. purpose: what it does, in one line."""

    name: str
    purpose: str


# In the order in which they are needed.
COMMANDS = (
    Command("ttcs", "A policy writes solutions, a search spends a budget on them, a verifier and a vote choose."),
    Command("analysis", "Figures and tables from the records of runs; no model runs."),
    Command("analysis.view", "Searches to look into: trees, scores, votes and costs of runs, as one page of HTML."),
    Command("ttcs.serve", "Searches for any client of OpenAI's chat API, as a service on this machine."),
    Command("ttcs.replay", "Other decisions on the candidates of a finished run; no model runs."),
    Command("ttcs.merge", "Shards, or one run from several machines -> one run."),
    Command("ttcs.pools", "Solutions that others have sampled and scored -> a best-of-N run."),
    Command("ttcs.export", "A run -> a data set in Parquet, with a card; to the Hugging Face Hub if asked."),
    Command("ttcs.check", "Models and engines at work on a few solutions, before a run relies on them; a verdict."),
    Command("ttcs.planning", "What a run or a sweep would cost: tokens, FLOPs, GPU hours and money; nothing is run."),
    Command("ttcs.training", "Policies, verifiers, revision and reasoning models: their data, training, evaluation."),
    Command("ttcs.curation", "Questions with reasoning traces -> a small data set to train a reasoning model on."),
    Command("benchmarks", "How fast it is: every goal measured, in one table."),
)


def purpose(name: str) -> str:
    """KeyError for a command that is not in the table."""
    return {command.name: command.purpose for command in COMMANDS}[name]


def others(name: str) -> str:
    """The table without the command `name`, a line each."""
    width = max(len(command.name) for command in COMMANDS)
    return "\n".join(
        f"  python -m {command.name:<{width}}  {command.purpose}" for command in COMMANDS if command.name != name
    )

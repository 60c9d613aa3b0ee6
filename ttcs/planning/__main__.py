"""`python -m ttcs.planning`: the arguments of `python -m ttcs`, and a table of costs instead of a run."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from ttcs.config import quoting
from ttcs.config.command import command
from ttcs.config.explain import answering
from ttcs.config.home import at_home, typed
from ttcs.config.options import CONF
from ttcs.config.streams import forgiving
from ttcs.config.writable import made
from ttcs.errors import UserError
from ttcs.planning import plan, report
from ttcs.records.folder import write
from ttcs.running.progress import console
from ttcs.running.sweep import points

FLAGS = ("-m", "--multirun")
SHOWING = ("--help", "-h", "--hydra-help", "--cfg", "-c")  # Hydra's own, after which nothing is planned


def main(arguments: Sequence[str]) -> None:
    """Exit codes as those of `python -m ttcs`. Nothing is run, and no folder of a run is made."""
    if any(argument.partition("=")[0] in SHOWING for argument in arguments):
        sys.argv[1:] = arguments
        command("planning", points)
    else:
        _plan(arguments)


def _plan(arguments: Sequence[str]) -> None:
    forgiving()
    with answering("planning"):
        configs = list(_configs(arguments))
        planned = plan.points(configs)
        if not planned:
            raise UserError("span leaves out every point")
        gpu = OmegaConf.to_container(configs[0].gpu)
        assert isinstance(gpu, dict)
        report.show(planned, f"on {gpu['name']} at {gpu['price']} an hour; docs/planning.md says what is assumed")
        out = Path(at_home(configs[0].plan.out))
        made(out.parent)
        write(out, report.to_json(planned, {str(key): value for key, value in gpu.items()}))
        console.print(f"  {out}", markup=False)


def _configs(arguments: Sequence[str]) -> Iterator[DictConfig]:
    """One per point of the sweep, or the one there is."""
    overrides = [argument for argument in typed(arguments) if argument not in FLAGS]
    if flag := next((argument for argument in overrides if argument.startswith("-")), None):
        raise UserError(f"unrecognized argument: {flag}")
    quoting.checked(overrides)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        mode = RunMode.MULTIRUN if len(overrides) < len(arguments) else RunMode.RUN
        config = loader.load_configuration("planning", overrides, run_mode=RunMode.MULTIRUN)
        swept = mode is RunMode.MULTIRUN or config.hydra.mode is RunMode.MULTIRUN
        yield from points(config) if swept else [loader.load_configuration("planning", overrides, run_mode=mode)]


if __name__ == "__main__":
    main(sys.argv[1:])

"""`python -m ttcs.serve`: the arguments of `python -m ttcs`, and a service instead of a run."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from ttcs.config import ranges
from ttcs.config.command import command
from ttcs.config.components import build
from ttcs.config.home import at_home
from ttcs.errors import UserError
from ttcs.running.progress import console
from ttcs.serve.records import Records
from ttcs.serve.settings import Settings
from ttcs.solving.solver import Solver


def main() -> None:
    """Exit codes: 0 it was told to end, 1 a bug, 2 bad input."""
    command("serve", serve)


def serve(config: DictConfig) -> None:
    try:
        import uvicorn

        from ttcs.serve.app import app
    except ModuleNotFoundError as error:
        raise UserError(f"there is no {error.name}: pip install 'ttcs[serve]'") from error

    ranges.check(config)
    given = OmegaConf.to_container(config.serve, resolve=True)
    assert isinstance(given, dict)
    settings = Settings(**{str(key): at_home(value) for key, value in given.items() if key != "window"})
    window = build(config.serve, "window")
    key = settings.key()
    with (
        bound(settings.host, settings.port) as listening,
        Solver(*words(), config_dir=own()) as solver,
        kept(settings, solver) as records,
    ):
        settings.check(solver)
        place = f"http://{settings.host}:{settings.port}/v1"
        console.print(f"{place} serves {', '.join(settings.methods)}", markup=False)
        patience = settings.drain
        options = uvicorn.Config(
            app(solver, settings, key, records, window),
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=patience,
        )
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # uvicorn hands on what it was told once it has ended
        with suppress(KeyboardInterrupt):
            uvicorn.Server(options).run([listening])


def kept(settings: Settings, solver: Solver) -> AbstractContextManager[Records | None]:
    """What keeps records, if anything does."""
    if settings.records is None:
        return nullcontext()
    return Records(Path(str(settings.records)), solver, settings.methods)


def own() -> str | None:
    """The folder of `--config-dir`."""
    sources = HydraConfig.get().runtime.config_sources
    return next((str(source.path) for source in sources if source.provider == "command-line"), None)


def words() -> list[str]:
    """What was said of the run, and nothing of the service."""
    given = [str(override) for override in HydraConfig.get().overrides.task]
    return [word for word in given if not word.lstrip("+~").startswith("serve.")]


def bound(host: str, port: int) -> socket.socket:
    """UserError where nobody can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once (TCP_NODELAY) only on sockets that say that they are TCP; else each reply waits 40 ms in its
    # second half for the client's kernel to confirm the first.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise UserError(f"serve.host={host} serve.port={port}: {reason}") from error
    return found


if __name__ == "__main__":
    main()

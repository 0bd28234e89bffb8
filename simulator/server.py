"""The simulator as a server of its own, on real time."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import uvicorn

from simulator.app import create_app
from simulator.world import World

LONGEST_NAP = 0.05  # seconds between looks at the schedule; something newly planned wakes it at once


class _QuietServer(uvicorn.Server):
    """Signals belong to whoever runs the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def running(world: World, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve `world` while the block runs, and let it live: what is due happens. Yields the base URL.

    Port 0 takes a free one. Raises OSError when the port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    config = uvicorn.Config(
        create_app(world), access_log=False, log_config=None, log_level="critical", lifespan="off", ws="none"
    )
    config.timeout_graceful_shutdown = 1
    server = _QuietServer(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    living = asyncio.create_task(live(world))
    try:
        world.address = f"http://{host}:{listener.getsockname()[1]}"
        yield world.address
    finally:
        living.cancel()
        with suppress(asyncio.CancelledError):
            await living
        server.should_exit = True
        await serving


async def live(world: World) -> None:
    """Carry out what is due, for ever. Deliveries run side by side: one that hangs holds up no other."""
    async with asyncio.TaskGroup() as deliveries:
        while True:
            world.schedule.wake.clear()
            await world.run_due(deliveries)
            with suppress(TimeoutError):
                await asyncio.wait_for(world.schedule.wake.wait(), LONGEST_NAP)

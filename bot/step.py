"""Works everything that is due, one row at a time, until nothing is: the same seed gives the same bytes.

Demo, rehearsal and seeded tests run on this alone; `serve` runs the same worker from tasks of its own.
"""

from bot.worker import Worker


async def settle(worker: Worker) -> int:
    """Everything due at the worker's now, deeds before events before the clock. Returns how many rows were worked."""
    worked = 0
    while True:
        deed, event = await worker.claim()
        if deed is not None:
            await worker.act(deed)
        elif event is not None:
            await worker.handle(event)
        elif not await worker.sweep():
            return worked
        worked += 1

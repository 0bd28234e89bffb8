"""The simulated WeCom of the second measurement, a process of its own: rivals walk into groups at an even pace.

It waits until the bot has read every group, says so in one line, lets the rivals in, and prints as one JSON object how
long each took from the callback's sending to the card's arrival at the owner.
"""

import argparse
import asyncio
import gc
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import httpx2
import uvloop

from simulator import Limits, WallClock, World, running

SETTLED = 2.0  # seconds without a call: the bot has read what there is
READ_WITHIN = 300.0  # seconds for all groups
PATIENCE = 20.0  # seconds after the last callback until a card that has not come counts as missing


@dataclass(frozen=True)
class Answer:
    """`p50`, `p99`, `worst` in seconds; `cards` is how many came, `pace` the callbacks per second really sent."""

    sent: int
    cards: int
    doubles: int
    p50: float
    p99: float
    worst: float
    pace: float
    acknowledged: int
    read_in: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crowd", description=__doc__)
    parser.add_argument("port", type=int, help="where the simulator listens")
    parser.add_argument("callback", help="the bot's callback address")
    parser.add_argument("--pace", type=float, required=True, help="callbacks per second")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--contacts", action="store_true", help="staff know the rivals: their company can be read")
    wanted = parser.parse_args()
    print(json.dumps(asdict(uvloop.run(play(wanted)))))


async def play(wanted: argparse.Namespace) -> Answer:
    world = World(clock=WallClock(), limits=Limits.none())
    number = round(wanted.pace * wanted.seconds)
    groups = [_group(world, n) for n in range(number)]
    rivals = [world.add_rival(f"对手{n}", "对手有限公司") for n in range(number)]
    if wanted.contacts:
        for n, rival in enumerate(rivals):
            world.make_contact(f"owner{n}", rival)
    gc.freeze()
    limits = httpx2.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx2.AsyncClient(trust_env=False, limits=limits) as client, running(world, port=wanted.port):
        read_in = await _until_read(world, number)
        print(f"read {number} groups in {read_in:.1f} s", flush=True)
        world.callback_to(wanted.callback, client)
        joined: dict[str, datetime] = {}
        loop = asyncio.get_running_loop()
        start = loop.time()
        for n, (group, rival) in enumerate(zip(groups, rivals, strict=True)):
            await asyncio.sleep(start + n / wanted.pace - loop.time())
            joined[f"owner{n}"] = world.clock.now()
            world.join(group, rival)
        took = loop.time() - start
        await _until(lambda: len(world.sent) >= number, PATIENCE)
        return _answer(world, joined, took, read_in)


def _group(world: World, n: int) -> str:
    world.add_staff(f"owner{n}", f"群主{n}")
    regulars = [world.add_customer(f"顾客{n}{which}") for which in "甲乙丙"]
    return world.create_group(f"静安{n}群", f"owner{n}", members=regulars).chat_id


async def _until_read(world: World, groups: int) -> float:
    """Returns after how many seconds every group had been read, and nothing was asked any more."""
    loop = asyncio.get_running_loop()
    began = calls_at = loop.time()
    calls = 0
    while world.calls["externalcontact/groupchat/get", 0] < groups or loop.time() - calls_at < SETTLED:
        if loop.time() - began > READ_WITHIN:
            raise TimeoutError("the bot has not read all groups")
        await asyncio.sleep(0.1)
        if calls != world.calls.total():
            calls, calls_at = world.calls.total(), loop.time()
    return calls_at - began


async def _until(done: Callable[[], bool], seconds: float) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not done() and loop.time() < deadline:  # noqa: ASYNC110 - what is waited for happens in another process
        await asyncio.sleep(0.05)


def _answer(world: World, joined: dict[str, datetime], took: float, read_in: float) -> Answer:
    first: dict[str, timedelta] = {}
    cards = [each for each in world.sent if each.kind == "card"]
    for each in cards:
        first.setdefault(each.userid, each.at - joined[each.userid])
    latencies = sorted(span.total_seconds() for span in first.values()) or [0.0]
    return Answer(
        sent=len(joined),
        cards=len(first),
        doubles=len(cards) - len(first),
        p50=latencies[len(latencies) // 2],
        p99=latencies[len(latencies) * 99 // 100],
        worst=latencies[-1],
        pace=len(joined) / took,
        acknowledged=len(world.acknowledged),
        read_in=read_in,
    )


if __name__ == "__main__":
    main()

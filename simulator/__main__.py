"""`python -m simulator`: a small shop to play with, and a bot's callback address to tell of it."""

import argparse
import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields

import httpx2

from simulator import corp
from simulator.archive import Archive
from simulator.clock import WallClock
from simulator.faults import Faults
from simulator.server import running
from simulator.world import World


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--callback-url", help="where callbacks go, e.g. http://127.0.0.1:8000/callback")
    parser.add_argument("--messages-url", help="where what people say goes, e.g. http://127.0.0.1:8000/ingest/messages")
    parser.add_argument("--ingest-secret", default=corp.INGEST_SECRET, help="what such batches are signed with")
    parser.add_argument("--corp-id", default=corp.CORP_ID)
    parser.add_argument("--agent-id", type=int, default=corp.AGENT_ID)
    parser.add_argument("--secret", default=corp.SECRET)
    parser.add_argument("--token", default=corp.TOKEN)
    parser.add_argument("--aes-key", default=corp.AES_KEY)
    parser.add_argument("--seed", type=int, default=1)
    rates = ", ".join(each.name for each in fields(Faults) if each.type is float)
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=RATE", help=f"one of {rates}")
    parser.add_argument(
        "--wrong", action="append", default=[], choices=sorted(WRONG), help="what is wrong in this corp's console"
    )
    return parser.parse_args()


def _no_trusted_ip(world: World) -> None:
    world.ip_allowed = False


def _no_permission(world: World) -> None:
    world.contact_permission = False


def _not_visible(world: World) -> None:
    world.staff["wangwu"].visible = False


def _serves_nobody(world: World) -> None:
    world.staff["wangwu"].serves = False


WRONG: dict[str, Callable[[World], None]] = {
    "ip": _no_trusted_ip,
    "permission": _no_permission,
    "range": _not_visible,
    "serves": _serves_nobody,
}
"""The trusted address, the permission for 客户联系, the visible range, an owner without 客户联系."""


def _faults(wanted: list[str]) -> Faults:
    """From ["lost=0.1", …]. Raises SystemExit for a name that is no fault."""
    faults = Faults()
    for each in wanted:
        name, _, rate = each.partition("=")
        if not isinstance(getattr(faults, name, None), float):
            raise SystemExit(f"no such fault: {name}")
        setattr(faults, name, float(rate))
    return faults


def small_shop(world: World) -> None:
    """Two groups of one shop, with their staff, some customers, a rival who is not inside yet, and empty groups for
    whoever scans a poster.
    """
    world.add_staff("lihua", "李华")
    world.add_staff("wangwu", "王五")
    world.add_staff("zhaoliu", "赵六")
    first = world.create_group("会员福利1群（静安店）", "wangwu", ["zhaoliu"])
    second = world.create_group("新人打卡1群", "zhaoliu")
    for number, name in enumerate(("陈晨", "林琳", "周舟", "吴悠", "郑好")):
        customer = world.add_customer(name)
        world.join(first if number % 2 else second, customer)
    world.add_rival("孙强", "隔壁茶业有限公司")
    for name in ("VIP·静安01", "VIP·静安02", "VIP·静安03", "备用·静安1"):
        world.create_group(name, "wangwu")


async def main() -> None:
    wanted = _arguments()
    world = World(
        clock=WallClock(),
        seed=wanted.seed,
        faults=_faults(wanted.fault),
        corp_id=wanted.corp_id,
        secret=wanted.secret,
        agent_id=wanted.agent_id,
        token=wanted.token,
        aes_key=wanted.aes_key,
    )
    async with httpx2.AsyncClient(trust_env=False) as client, running(world, host=wanted.host, port=wanted.port) as url:
        if wanted.callback_url:
            world.callback_to(wanted.callback_url, client)
        if wanted.messages_url:
            Archive(world, wanted.ingest_secret).deliver_to(wanted.messages_url, client)
        small_shop(world)
        for each in wanted.wrong:
            WRONG[each](world)
        print(f"WECOM_API_BASE={url}   WECOM_OAUTH_BASE={url}   people: {url}/phone", flush=True)  # noqa: T201 (a command)
        told = 0
        while True:
            for story in world.on_story[told:]:
                print(f"{story.at:%H:%M:%S} {story.actor} {story.text_zh}", flush=True)  # noqa: T201 (likewise)
            told = len(world.on_story)
            await asyncio.sleep(0.2)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())

"""Promise 1 on a full disk: what cannot be written is answered 503, never 200; and the process survives it.

The disk is full for one process only: RLIMIT_FSIZE keeps its files from growing.
"""

import resource
from pathlib import Path

from sqlmodel import select

from store.inbox import Inbox
from tests.promises.conftest import eventually
from tests.promises.shop import open_shop

A_CALLBACK = "<xml><CreateTime>1795395600</CreateTime><MsgType>event</MsgType><Event>new</Event><N>{}</N>{}</xml>"
LONG = "x" * 30_000
UNLIMITED = resource.RLIM_INFINITY


def largest_file(folder: Path) -> int:
    return max(each.stat().st_size for each in folder.iterdir())


async def test_a_full_disk_is_answered_503_until_there_is_room(sqlite_url: str, tmp_path: Path, seed: int) -> None:
    """With a full disk callbacks are answered 503 while the process lives on; with room again it acknowledges and works
    by itself; and all that was ever answered 200 is there."""
    async with open_shop(sqlite_url, tmp_path, seed) as shop:
        await shop.start()
        chat_id = shop.world.create_group("静安群", owner="wangwu").chat_id
        await shop.quiet()
        serving = shop.bot.started[-1]
        answered: dict[str, int] = {}

        async def post(name: str) -> int:
            query, body = shop.world.courier.sealed(A_CALLBACK.format(name, LONG), shop.world.clock.now())
            answer = await shop.client.post(f"{serving.url}/callback", params=query, content=body.encode())
            answered[name] = answer.status_code
            return answer.status_code

        full = (largest_file(tmp_path) + 100_000, UNLIMITED)
        resource.prlimit(serving.process.pid, resource.RLIMIT_FSIZE, full)
        for number in range(30):
            await post(f"full {number}")
        assert list(answered.values()).count(503) > 10
        assert set(answered.values()) <= {200, 503}
        assert not serving.ended()
        health = await shop.client.get(f"{serving.url}/healthz")
        assert (health.status_code, health.json()) == (200, {"status": "ok"})

        resource.prlimit(serving.process.pid, resource.RLIMIT_FSIZE, (UNLIMITED, UNLIMITED))

        async def accepts_again() -> bool:
            return await post("afterwards") == 200

        await eventually("callbacks are acknowledged again", accepts_again)
        await shop.bot.forget_leases(shop.database)
        shop.a_rival_enters(chat_id)
        await shop.quiet()
        shop.everybody_was_asked_about_once()
        async with shop.database.read() as tx:
            kept = set((await tx.exec(select(Inbox.payload).where(Inbox.source == "callback"))).all())
        good = [name for name, status in answered.items() if status == 200]
        assert {A_CALLBACK.format(name, LONG) for name in good} <= kept

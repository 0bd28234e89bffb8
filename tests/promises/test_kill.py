"""Promise 1 with real processes: whatever is killed, and when, what was acknowledged has its effect, once.

`steward serve` runs on the wall clock against a simulator in this process, over real HTTP, on a SQLite file and on
PostgreSQL. It is killed with SIGKILL.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from simulator import Faults
from tests.promises.conftest import Moment
from tests.promises.shop import Shop, open_shop

OWNERS = tuple(f"owner{n}" for n in range(8))
"""Of one group each: nobody gets more messages a minute than the platform lets through."""


def unruly() -> Faults:
    return Faults(doubled=0.1, reordered=0.1, answer_lost=0.1, reorder_by=timedelta(milliseconds=100))


@pytest.fixture
async def shop(db_url: str, tmp_path: Path, seed: int) -> AsyncIterator[Shop]:
    async with open_shop(db_url, tmp_path, seed) as opened:
        yield opened


async def test_what_was_acknowledged_before_a_kill_has_its_effect_after_it(shop: Shop) -> None:
    """Callbacks that a web process acknowledged before it was killed have their effects when a worker comes: the roster
    is the platform's, and everybody who has to be asked about is asked about once."""
    await shop.start("web")
    groups = [shop.world.create_group(f"静安{n}群", owner="wangwu").chat_id for n in range(3)]
    for chat_id in groups:
        shop.a_rival_enters(chat_id)
        shop.a_customer_enters(chat_id)
        shop.a_rival_enters(chat_id)
    shop.a_customer_leaves(Random(0))
    await shop.acknowledged()
    await shop.kill()
    assert not shop.world.sent
    await shop.start()
    await shop.quiet()
    shop.everybody_was_asked_about_once()


async def test_killed_at_the_worst_moments_nobody_is_asked_twice(shop: Shop) -> None:
    """Killed while it reads a group, right before the platform has the card, and right after the platform has delivered
    it but before that could be written down: still one card, and the press on it still closes the case."""
    await shop.start()
    chat_id = shop.world.create_group("静安群", owner="wangwu").chat_id
    await shop.quiet()
    shop.held.hold("groupchat/get", "after its effect")
    shop.a_rival_enters(chat_id)
    await shop.held.is_reached()
    moments: tuple[Moment, ...] = ("never arrives", "after its effect")
    for moment in moments:
        await shop.kill()
        shop.held.hold("message/send", moment)
        await shop.start()
        await shop.held.is_reached()
    await shop.kill()
    await shop.start()
    await shop.quiet()
    assert shop.world.mail.duplicates == 1  # the platform knew the second for the first
    shop.everybody_was_asked_about_once()
    [card] = shop.world.inbox("wangwu")
    shop.world.remove(chat_id, shop.rivals[0], by="wangwu")
    shop.world.press("wangwu", card.task_id or "", card.buttons[0].key)
    await shop.quiet()
    assert card.replaced == "已移出"


async def test_killed_at_random_moments_under_load(db_url: str, tmp_path: Path, seed: int) -> None:
    """Killed again and again while callbacks pour in, doubled and out of order and with answers lost, nothing that was
    acknowledged is lost, nobody is asked about twice, and the roster ends up right."""
    async with open_shop(db_url, tmp_path, seed, unruly()) as shop:
        await be_killed(shop, Random(seed), kills=2)


@pytest.mark.soak
async def test_killed_at_random_moments_for_a_long_time(db_url: str, tmp_path: Path, seed: int) -> None:
    """The same many times over, while people also leave and are removed; every card ends up closed."""
    async with open_shop(db_url, tmp_path, seed, unruly()) as shop:
        for owner in OWNERS:
            shop.world.add_staff(owner, owner).does("removes_and_presses", after=timedelta(milliseconds=100))
        await be_killed(shop, Random(seed), kills=12, leave=0.3)
        cards = [each for owner in OWNERS for each in shop.world.inbox(owner) if each.kind == "card"]
        assert not [each for each in cards if each.buttons], "a card still shows its buttons"


async def be_killed(shop: Shop, random: Random, *, kills: int, leave: float = 0) -> None:
    """`leave`: how likely it is, at each step, that a customer leaves. A group that somebody left within two minutes
    of entering, told out of order, takes these two minutes to be believed: too long for the small size."""
    await shop.start()
    for owner in OWNERS:
        if owner not in shop.world.staff:
            shop.world.add_staff(owner, owner)
    groups = [shop.world.create_group(f"静安{owner}群", owner=owner).chat_id for owner in OWNERS]
    for kill in range(kills + 1):
        for _ in range(random.randint(10, 20)):
            await asyncio.sleep(random.uniform(0, 0.06))  # the load; the kill comes at a random moment of it
            random.choice((shop.a_rival_enters, shop.a_customer_enters))(random.choice(groups))
            if shop.customers and random.random() < leave:
                shop.a_customer_leaves(random)
        if kill < kills:
            await shop.kill()
            await shop.start()
    await shop.quiet(200 if leave else 90)
    shop.everybody_was_asked_about_once()
    assert not shop.world.undelivered

"""Welcomes in whole lives: a customer is greeted, an owner attaches a group's welcome, a month begins."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.step import settle
from rules.book import Book
from simulator import Faults
from store import welcome
from tests.life.conftest import Life, StartLife
from tests.life.shop import HOURS, MINUTES, SECONDS, Shop

GREETING = "您好，我是您的茶艺师。群规：不发广告。"
WELCOME = {"groups": "members", "text": "%NICKNAME%，欢迎来喝茶"}
SEND = "externalcontact/send_welcome_msg"


def book(*group: dict[str, Any], contact: str | None = GREETING) -> Book:
    said: dict[str, Any] = {"group": list(group)}
    if contact:
        said["contact"] = {"text": contact}
    return Book.model_validate(
        {
            "managers": ["李华"],
            "groups": {"members": ["会员*", "静安*"]},
            "rules": [{"rule": "other_company"}],
            "welcome": said,
        }
    )


def greetings(life: Life, external_userid: str) -> list[str]:
    return [each.text for each in life.world.welcomes.seen_by(external_userid)]


def asked(life: Life) -> dict[int, int]:
    """errcode → how many greetings were answered with it."""
    return {errcode: count for (endpoint, errcode), count in life.world.calls.items() if endpoint == SEND}


async def test_a_new_contact_is_greeted_once_though_the_callback_came_twice(start_life: StartLife) -> None:
    """A customer adds staff; every callback is doubled; they are greeted at once, and once."""
    async with start_life(book(), faults=Faults(doubled=1.0)) as life:
        life.world.add_staff("wangwu", "王五")
        person = life.world.add_customer("陈晨")
        life.world.make_contact("wangwu", person)
        at = life.clock.now()
        await life.run(1 * MINUTES)
        [greeting] = life.world.welcomes.seen_by(person.id)
        assert greeting.text == GREETING
        assert greeting.at - at < 20 * SECONDS
        assert asked(life) == {0: 1}


async def test_a_worker_that_was_down_for_25_seconds_sends_nothing(start_life: StartLife) -> None:
    """The callback was taken; by the time it is worked on the code has ended, and the platform is not even asked."""
    async with start_life(book()) as life:
        life.world.add_staff("wangwu", "王五")
        person = life.world.add_customer("陈晨")
        life.world.make_contact("wangwu", person)
        await life.world.run_due()
        life.clock.advance(25 * SECONDS)
        await settle(life.bot.worker)
        assert greetings(life, person.id) == []
        assert asked(life) == {}


async def test_a_worker_that_was_down_for_15_seconds_still_greets(start_life: StartLife) -> None:
    """What can still be said is said."""
    async with start_life(book()) as life:
        life.world.add_staff("wangwu", "王五")
        person = life.world.add_customer("陈晨")
        life.world.make_contact("wangwu", person)
        await life.world.run_due()
        life.clock.advance(15 * SECONDS)
        await settle(life.bot.worker)
        assert greetings(life, person.id) == [GREETING]


@pytest.mark.parametrize("fault", ["other_app_greets", "cut", "cut_after_effect"])
async def test_another_app_or_a_bad_line_is_tried_again_within_the_20_seconds(
    start_life: StartLife, fault: str
) -> None:
    """Both pass after some seconds: the customer is greeted late, and once."""
    async with start_life(book()) as life:
        life.world.add_staff("wangwu", "王五")
        await life.bot.read_roster("start")
        await life.run(10 * SECONDS)  # a token is there
        person = life.world.add_customer("陈晨")
        setattr(life.world.faults, fault, 1.0)
        life.world.make_contact("wangwu", person)
        await life.run(4 * SECONDS)
        life.world.faults.stop()
        await life.run(1 * MINUTES)
        assert greetings(life, person.id) == [GREETING]


async def test_trouble_that_lasts_ends_with_the_code_and_without_noise(start_life: StartLife) -> None:
    """After 20 seconds nothing is tried any more; no dead letter is left for anybody."""
    async with start_life(book(), faults=Faults(other_app_greets=1.0)) as life:
        life.world.add_staff("wangwu", "王五")
        person = life.world.add_customer("陈晨")
        life.world.make_contact("wangwu", person)
        await life.run(1 * HOURS)
        assert greetings(life, person.id) == []
        tries = asked(life)[41096]
        assert 2 <= tries <= 6
        await life.run(1 * HOURS)
        assert asked(life)[41096] == tries


async def test_without_a_text_nobody_is_greeted(start_life: StartLife) -> None:
    """`welcome.contact` is the switch."""
    async with start_life(book(contact=None)) as life:
        life.world.add_staff("wangwu", "王五")
        life.world.make_contact("wangwu", life.world.add_customer("陈晨"))
        await life.run(1 * MINUTES)
        assert asked(life) == {}


async def test_a_groups_welcome_from_the_config_to_a_newcomer(open_shop: Any) -> None:
    """Made by the bot, attached by the owner who was told how, confirmed on the page; then a newcomer reads it."""
    async with open_shop(book(WELCOME)) as shop:
        await shop.life.run(15 * MINUTES)
        [template] = shop.world.welcomes.templates.values()
        assert template.text == WELCOME["text"]
        await shop.life.run(15 * MINUTES)
        [todo] = shop.lists("wangwu")
        assert "挂入群欢迎语" in todo
        page = await shop.life.browser.get(shop.link("wangwu"))
        assert "「静安1群」还没挂欢迎语" in page.text
        shop.world.welcomes.attach(shop.group, template.template_id, by="wangwu")
        await _press_done(shop, page.text)
        newcomer = shop.world.add_customer("林夕")
        await shop.enters(newcomer)
        assert greetings(shop.life, newcomer.id) == ["林夕，欢迎来喝茶"]
        await shop.life.stride(25 * HOURS, 12)
        assert len(shop.lists("wangwu")) == 1
        assert len(shop.world.welcomes.templates) == 1


async def _press_done(shop: Shop, page: str) -> None:
    """已办, as the page offers it."""
    key = page.split('name="key" value="')[1].split('"', maxsplit=1)[0]
    press = page.split('name="press" value="matter:')[1].split('"', maxsplit=1)[0]
    url = shop.link("wangwu")
    answer = await shop.life.browser.post(
        url, data={"key": key, "press": f"matter:{press}"}, headers={"origin": "http://127.0.0.1"}
    )
    assert answer.status_code == 303


async def test_a_lost_answer_makes_one_orphan_and_one_template(open_shop: Any) -> None:
    """The first call took effect and its answer was lost: the bot makes another, and owners attach that one."""
    async with open_shop(book()) as shop:
        shop.life.bot.worker.rules.book = book(WELCOME)
        shop.world.faults.cut_after_effect = 1.0
        while not shop.world.welcomes.templates:
            await shop.life.run(1 * MINUTES)
        shop.world.faults.stop()
        await shop.life.run(15 * MINUTES)
        assert len(shop.world.welcomes.templates) == 2
        await shop.life.run(1 * HOURS)
        assert len(shop.world.welcomes.templates) == 2
        async with shop.life.bot.store.read() as tx:
            row = await welcome.template(tx, "members")
            assert row is not None
            assert (row.state, row.orphans) == ("made", 1)
            assert [each.name for each in await welcome.waiting(tx)] == ["静安1群"]


async def test_managers_are_asked_to_check_the_native_switches_as_a_month_begins(open_shop: Any) -> None:
    """In the first working hours of the month, with the clicks, in the daily list of the managers and nobody else's."""
    async with open_shop(book(contact=None), at=datetime(2026, 11, 30, 1, 0, tzinfo=UTC)) as shop:
        await shop.life.run(1 * HOURS)
        assert shop.lists("lihua") == []
        await shop.life.stride(25 * HOURS, 25)
        [todo] = shop.lists("lihua")
        assert "每月核对" in todo
        page = (await shop.life.browser.get(shop.link("lihua"))).text
        assert "安全管控 → 防骚扰" in page
        assert "禁止群成员互相添加" in page
        assert shop.lists("wangwu") == []

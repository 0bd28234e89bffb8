"""The life of a post, from the calendar to the groups: whole bot, whole WeCom."""

from datetime import UTC
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bot.step import settle
from rules.actions import Link
from store import matters, posts
from tests.life.office import TEN, Office, at, calendar
from tests.life.shop import MINUTES, SECONDS


async def test_a_post_is_made_before_its_time_confirmed_and_followed_to_every_group(open_office: Any) -> None:
    """One task per owner, with exactly their groups, ten minutes before; done when each group has its result."""
    async with open_office(calendar(TEN), owners=2) as office:
        office.all_confirm()
        await office.until(at(9, 49))
        assert office.tasks == []
        await office.until(at(9, 50))
        assert [(each.text, {*each.targets}) for each in office.tasks] == [
            ("早上好", {"owner1"}),
            ("早上好", {"owner2"}),
        ]
        assert sorted(chat_id for each in office.tasks for ids in each.targets.values() for chat_id in ids) == sorted(
            each.chat_id for each in office.groups
        )
        await office.until(at(10, 30))
        assert [each for group in office.groups for each in office.got(group)] == ["早上好"] * 4
        assert {*(await office.results()).values()} == {"arrived"}
        assert (await office.states())[0] == "done"
        assert office.texts("owner1") == office.texts("lihua") == []


async def test_an_owner_who_forgets_is_rung_by_wecom_then_told_by_us_then_the_managers_are(
    open_office: Any,
) -> None:
    """Three reminders by the API, spaced; one message of ours; one to the managers; then it is stopped."""
    async with open_office(calendar(TEN)) as office:
        await office.until(at(10, 45))
        [task] = office.tasks
        assert [each.astimezone(UTC) for each in task.reminded] == [at(10), at(10, 20), at(10, 40)]
        assert office.texts("owner1") == []
        await office.until(at(11, 5))
        [told] = office.texts("owner1")
        assert "「ten」" in told
        assert "群发助手" in told
        assert office.texts("lihua") == []
        await office.until(at(11, 35))
        assert ["群主1（2）" in each for each in office.texts("lihua")] == [True]
        await office.until(at(12, 1))
        assert task.cancelled_at is not None
        assert len(task.reminded) == 3
        assert {*(await office.results()).values()} == {"expired"}
        assert (await office.states())[0] == "done"


async def test_confirming_at_a_reminder_ends_the_reminding(open_office: Any) -> None:
    """Whoever acts is left in peace."""
    async with open_office(calendar(TEN)) as office:
        office.life.world.staff["owner1"].confirms(after=MINUTES, rings=2)
        await office.until(at(12, 30))
        assert len(office.tasks[0].reminded) == 1
        assert office.texts("owner1") == []
        assert {*(await office.results()).values()} == {"arrived"}


@pytest.mark.parametrize("fault", ["cut_after_effect", "error_5xx_after_effect", "slow"])
async def test_a_task_whose_answer_was_lost_is_found_and_not_made_again(open_office: Any, fault: str) -> None:
    """It is looked up by time, text and sender; the one that is there is taken for ours."""
    async with open_office(calendar(TEN), owners=2) as office:
        office.all_confirm()
        await office.until(at(9, 49, second=59))
        setattr(office.life.world.faults, fault, 1.0)
        await office.until(at(9, 50) + 5 * SECONDS)
        office.life.world.faults.stop()
        assert len(office.tasks) == 2
        await office.until(at(10, 30))
        assert len(office.tasks) == 2
        assert {*(await office.results()).values()} == {"arrived"}
        assert (await office.states())[0] == "done"


async def test_a_task_that_was_never_made_is_made_after_the_look(open_office: Any) -> None:
    """Nothing is there: another one is made, and only one."""
    async with open_office(calendar(TEN)) as office:
        office.life.world.staff["owner1"].confirms(after=MINUTES)
        await office.until(at(9, 49, second=59))
        office.life.world.faults.cut = 1.0
        await office.until(at(9, 50) + 5 * SECONDS)
        office.life.world.faults.stop()
        assert office.tasks == []
        await office.until(at(10, 30))
        assert len(office.tasks) == 1
        assert {*(await office.results()).values()} == {"arrived"}


# --- by hand ----------------------------------------------------------------------------------------------------------


BY_HAND = {**TEN, "via": "by_hand"}


async def test_by_hand_the_owner_gets_a_card_with_a_page_and_says_what_is_sent(open_office: Any) -> None:
    """No task is made; the page has the text and a button for each group; the last one ends the post."""
    async with open_office(calendar(BY_HAND)) as office:
        await office.until(at(9, 51))
        assert office.tasks == []
        [card] = office.texts("owner1")
        assert "请发「ten」" in card
        page = await look(office)
        for words in ("早上好", "会员1-0群", "会员1-1群", "已发"):
            assert words in page
        [send] = await office.sends()
        assert "会员1-0群" not in await press(office, f"said:{send.id}:{office.groups[0].chat_id}")
        assert (await office.results())[office.groups[1].chat_id] == "waiting"
        assert "没有要发的了" in await press(office, f"said:{send.id}")
        await office.until(at(9, 55))
        assert (await office.states())[0] == "done"
        await office.until(at(11, 59))
        assert len(office.texts("owner1")) == 1


async def test_what_is_to_be_sent_by_hand_and_is_not_is_asked_for_once_more_then_told(open_office: Any) -> None:
    """A card in time, one more, the managers, and the end."""
    async with open_office(calendar(BY_HAND)) as office:
        await office.until(at(12, 30))
        assert len(office.texts("owner1")) == 2
        assert len(office.texts("lihua")) == 1
        assert {*(await office.results()).values()} == {"expired"}
        assert (await office.states())[0] == "done"


def address(office: Office, page: str, userid: str, **more: Any) -> str:
    link = Link(page=page, userid=userid, issued_at=office.life.clock.now(), **more)
    return office.life.bot.worker.hands.links.url(link)


async def look(office: Office, page: str = "sends", userid: str = "owner1", **more: Any) -> str:
    return (await office.life.browser.get(address(office, page, userid, **more))).text


async def press(
    office: Office,
    value: str,
    *,
    page: str = "sends",
    by: str = "owner1",
    form: dict[str, str] | None = None,
    **more: Any,
) -> str:
    """Press a button of a page, and see what the page says then."""
    url = address(office, page, by, **more)
    key = office.life.bot.worker.hands.links.form_key(page, url.rpartition("/")[2])
    answer = await office.life.browser.post(url, data={"key": key, "press": value, **(form or {})})
    if answer.status_code != 303:
        return answer.text
    return (await office.life.browser.get(httpx2.URL(url).join(answer.headers["location"]))).text


# --- somebody looks first ---------------------------------------------------------------------------------------------


WANTS_A_LOOK = {**TEN, "approval": {"ask": "1天"}}


async def first_post(office: Office, day: int = 24) -> Any:
    return next(each for each in await office.posts() if each.fire_at == at(10, day=day))


async def test_a_post_is_shown_the_day_before_and_goes_out_when_it_is_passed(open_office: Any) -> None:
    """The manager gets a card; the page shows it as it will look; 通过 lets it go."""
    async with open_office(calendar(WANTS_A_LOOK)) as office:
        office.all_confirm()
        await office.hop(at(10, 1))
        post = await first_post(office)
        assert [each for each in office.texts("lihua") if "请先看「ten」" in each]
        page = await look(office, "preview", "lihua", post_id=post.id)
        for words in ("早上好", "2 个群", "通过", "改期", "取消"):
            assert words in page
        assert "通过了" in await press(office, "pass", page="preview", by="lihua", post_id=post.id)
        await office.hop(at(9, 50, day=24))
        await office.until(at(10, 10, day=24))
        assert (await first_post(office)).state == "done"
        assert [office.got(each) for each in office.groups] == [["早上好"], ["早上好"]]


@pytest.mark.parametrize(("silent", "state"), [("skip", "skipped"), ("send", "done")])
async def test_nobody_answers(open_office: Any, silent: str, state: str) -> None:
    """Then the post's own rule holds, and the reason is written down."""
    entry = {**TEN, "approval": {"ask": "1天", "if_silent": silent}}
    async with open_office(calendar(entry)) as office:
        office.all_confirm()
        await office.hop(at(10, 0))
        await office.hop(at(9, 50, day=24))
        await office.until(at(10, 10, day=24))
        post = await first_post(office)
        assert (post.state, "没有人答应" in post.why) == (state, state == "skipped")


async def test_a_post_is_put_off_or_called_off(open_office: Any) -> None:
    """改期: it goes out at the new time; 取消: not at all. Nobody else may decide."""
    async with open_office(calendar(WANTS_A_LOOK)) as office:
        office.all_confirm()
        await office.hop(at(10, 1))
        post = await first_post(office)
        assert "通过" not in await press(office, "pass", page="preview", by="owner1", post_id=post.id)
        said = await press(
            office, "move", page="preview", by="lihua", form={"when": "2026-11-24T15:00"}, post_id=post.id
        )
        assert "11-24 15:00" in said
        await office.hop(at(14, 49, day=24))
        assert office.tasks == []
        await office.until(at(15, 10, day=24))
        later = await first_post(office, day=25)
        assert "取消了" in await press(office, "cancel", page="preview", by="lihua", post_id=later.id)
        await office.hop(at(12, 0, day=25))
        assert len(office.tasks) == 1
        assert office.tasks[0].at == at(14, 50, day=24)
        assert (await first_post(office, day=25)).why == "李华取消了"


# --- downtime ---------------------------------------------------------------------------------------------------------


async def test_what_was_missed_by_little_is_made_up_for_and_what_was_missed_by_much_is_not(open_office: Any) -> None:
    """Within late_at_most it goes out, once; later it is skipped, with the reason."""
    twice = {**TEN, "when": "每天 10:00、14:00"}
    async with open_office(calendar(twice)) as office:
        office.all_confirm()
        await office.down(at(15, 0))
        await office.until(at(15, 30))
        ten, two = (await office.posts())[:2]
        assert (ten.state, two.state) == ("skipped", "done")
        assert "机器人停过，晚了 5小时0分钟" in ten.why
        assert len(office.tasks) == 1


async def test_three_days_away(open_office: Any) -> None:
    """Each fire of the time is there with what became of it: none is missing, none comes twice."""
    async with open_office(calendar(TEN)) as office:
        office.all_confirm()
        await office.until(at(9, 40))
        await office.down(at(11, 0, day=27))
        await office.until(at(12, 0, day=27))
        states = {f"{each.fire_at:%d}": each.state for each in await office.posts() if each.fire_at < at(12, day=27)}
        assert states == {"23": "skipped", "24": "skipped", "25": "skipped", "26": "skipped", "27": "done"}
        assert len(office.tasks) == 1


async def test_a_bot_that_starts_anew_every_minute_makes_each_post_once(open_office: Any) -> None:
    """Nothing is kept in memory; the calendar, the posts and the sends are rows."""
    async with open_office(calendar(TEN), owners=2) as office:
        office.all_confirm()
        for minute in range(45, 60):
            await office.life.bot.read_roster(f"start {minute}")
            await office.until(at(9, minute))
            await office.down(at(9, minute) + 30 * SECONDS)
        await office.until(at(10, 30))
        assert len(office.tasks) == 2
        assert {*(await office.results()).values()} == {"arrived"}


async def test_a_clock_that_jumps_ahead_and_back_leaves_nothing_out(open_office: Any) -> None:
    """What was taken for missed is planned again when the time is right once more; nothing is made twice."""
    async with open_office(calendar(TEN)) as office:
        office.all_confirm()
        office.life.clock._now = at(11, 0, day=27)
        await settle(office.life.bot.worker)
        assert [each.state for each in await office.posts()][:4] == ["skipped"] * 4
        office.life.clock._now = at(9, 30)
        await settle(office.life.bot.worker)
        for day in range(23, 28):
            await office.hop(at(9, 50, day=day))
            await office.until(at(9, 56, day=day))
        await office.hop(at(11, 10, day=27))  # the one that was made while the clock was wrong
        assert [len(office.got(each)) for each in office.groups] == [5, 5]
        assert not office.life.world.group_messages.doubled()


# --- pauses, staff, budget --------------------------------------------------------------------------------------------


async def test_a_paused_group_is_left_out_and_told_of(open_office: Any) -> None:
    """The others get theirs; all paused: nothing goes out."""
    async with open_office(calendar(TEN)) as office:
        office.all_confirm()
        async with office.life.bot.store.write() as tx:
            await posts.pause(tx, [office.groups[0].chat_id], now=office.life.clock.now())
        await office.until(at(10))
        assert [len(office.got(each)) for each in office.groups] == [0, 1]
        assert [(each.chat_id, each.way) for each in await office.left_out()] == [(office.groups[0].chat_id, "paused")]
        async with office.life.bot.store.write() as tx:
            await posts.pause(tx, [""], now=office.life.clock.now())
        await office.hop(at(10, day=24))
        assert (await office.states())[1] == "skipped"


async def test_staff_are_told_by_a_message_of_ours(open_office: Any) -> None:
    """No task, no confirmation: it is there at its time."""
    entry = {"name": "stocktaking", "to": "staff", "staff": ["群主1", "群主2"], "when": "每天 10:00", "text": "请盘点"}
    async with open_office(calendar(entry), owners=2) as office:
        await office.until(at(9, 59))
        assert office.texts("owner1") == []
        await office.until(at(10, 1))
        assert office.texts("owner1") == office.texts("owner2") == ["请盘点"]
        assert [(each.state, each.reached) for each in (await office.posts())[:1]] == [("done", 2)]


async def test_a_group_that_had_all_it_may_get_is_sent_to_by_hand(open_office: Any) -> None:
    """Status 3: no task of ours can reach it; the owner gets the page for it, and the other group has got it."""
    async with open_office(calendar(TEN)) as office:
        full = office.groups[0]
        office.all_confirm()
        await office.until(at(9, 45))
        for _ in range(30):
            office.life.world.group_messages.staff_sends("owner1", [full.chat_id], "早安")
        await office.until(at(10))
        assert [each.via for each in await office.sends()] == ["task", "hand"]
        assert [len([text for text in office.got(each) if text == "早上好"]) for each in office.groups] == [0, 1]
        assert any("请发「ten」" in each for each in office.texts("owner1"))


async def test_what_staff_sent_themselves_is_counted_beforehand(open_office: Any) -> None:
    """Where it is known the group is not asked for a task at all: it goes by hand at once."""
    async with open_office(calendar(TEN)) as office:
        full = office.groups[0]
        for _ in range(30):
            office.life.world.group_messages.staff_sends("owner1", [full.chat_id], "早安")
        await office.hop(at(3, 41, day=24))
        await office.hop(at(9, 55, day=24))
        [task] = [each for each in office.tasks if each.at > at(9, 0, day=24) and not each.by_staff]
        assert full.chat_id not in [chat_id for ids in task.targets.values() for chat_id in ids]


async def test_too_many_for_a_day_become_one(open_office: Any) -> None:
    """With one a day the second is said together with the first, and both are accounted for."""
    news = {**TEN, "name": "news", "when": "每天 11:00", "text": "新品到了", "priority": "low"}
    async with open_office(calendar(TEN, news, posting={"sends": "1_a_day"})) as office:
        office.all_confirm()
        await office.until(at(13))
        assert [office.got(each) for each in office.groups] == [["早上好\n\n新品到了"]] * 2
        assert [each.way for each in await office.left_out()] == ["merged"] * 2


async def test_pictures_go_along_and_are_uploaded_for_each_fire(open_office: Any, tmp_path: Path) -> None:
    """The file's id lives three days: each day it is uploaded anew; a file that is missing is told to the managers."""
    (tmp_path / "poster.png").write_bytes(b"\x89PNG and more")
    entry = {**TEN, "image": "poster.png"}
    async with open_office(calendar(entry), owners=2, folder=tmp_path) as office:
        office.all_confirm()
        for day in (23, 24):
            await office.hop(at(9, 50, day=day))
            await office.until(at(9, 58, day=day))
        assert [[each["msgtype"] for each in task.attachments] for task in office.tasks] == [["image"]] * 4
        assert len(office.life.world.group_messages.media) == 2
        (tmp_path / "poster.png").unlink()
        await office.hop(at(9, 50, day=25))
        await office.until(at(9, 55, day=25))
        assert len(office.tasks) == 4
        assert {each.state for each in await office.sends() if each.say_at == at(10, day=25)} == {"failed"}
        assert any("没发成" in each for each in [*office.texts("lihua"), *await titles(office)])


async def titles(office: Office) -> list[str]:
    """What is open for the managers."""
    async with office.life.bot.store.read() as tx:
        return [each.title for each in await matters.open_for(tx, owned=[], is_manager=True, userid="")]

"""The page where somebody says that a case about them is a mistake, and what managers make of it."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from rules.book import Book
from simulator import Customer as Person
from store import blocks, people, strikes
from store.matters import MatterRow
from tests.bot.pages.customer import Town, open_town
from tests.life.shop import MINUTES, SECONDS

BLOCKING = Book.model_validate(
    {"managers": ["李华"], "rules": [{"rule": "nickname", "words": ["代购"], "then": ["拉黑"]}]}
)


async def appeals(town: Town) -> list[MatterRow]:
    async with town.life.bot.store.read() as tx:
        return list((await tx.exec(select(MatterRow).where(col(MatterRow.about).startswith("appeal:")))).all())


@pytest.fixture
def story() -> str:
    return "我不是代购，\n这是我的网名，麻烦看一下"


async def a_removal(town: Town) -> Person:
    """Somebody comes in, is found, removed and on the blocklist. Case #1 is closed."""
    person = town.world.add_customer("小李代购")
    town.world.join(town.group, person)
    await town.life.run(10 * SECONDS)
    town.world.remove(town.group, person, by="wangwu")
    await town.life.run(10 * SECONDS)
    assert [case.outcome for case in await town.cases()] == ["removed"]
    return person


async def test_it_comes_to_the_managers_with_all_they_need(sqlite_url: str, story: str) -> None:
    """What was written, who, where and why stand in the manager's list, with two buttons; nobody else sees it."""
    async with open_town(sqlite_url, BLOCKING) as town:
        person = await a_removal(town)
        browser = town.browser(town.appeal_url(person))
        first = await browser.look()
        assert "静安1群" in first.text
        assert "代购" not in first.text
        said = await browser.send(text=story)
        assert "谢谢您，已经收到" in said.text
        listed = (await town.browser(town.todo_url("lihua")).look()).text
        for words in (
            "申诉 #1",
            "小李代购",
            "静安1群",
            "已移出",
            "我不是代购， 这是我的网名",
            "放行，解除拉黑",
            "维持",
        ):
            assert words in listed
        assert "申诉 #1" not in (await town.browser(town.todo_url("wangwu")).look()).text
        await town.life.run(15 * MINUTES)
        assert any("申诉 #1" in each.text for each in town.world.inbox("lihua"))


async def test_a_release_makes_everything_good_again(sqlite_url: str, story: str) -> None:
    """After 放行 the closed case holds nothing against the person: off the list, forgiven, and welcome back."""
    async with open_town(sqlite_url, BLOCKING) as town:
        person = await a_removal(town)
        browser = town.browser(town.appeal_url(person))
        await browser.send(text=story)
        matter = (await appeals(town))[0].id
        said = await town.press("lihua", f"appeal:release:{matter}")
        assert "记下了" in said.text
        assert "申诉 #1" not in said.text
        async with town.life.bot.store.read() as tx:
            assert await blocks.blocked(tx, [person.id]) == []
            assert all(each.forgiven_at for each in await strikes.of(tx, person.id))
            released = await people.released(tx, [person.id], [])
            assert set(released.by.values()) == {"李华"}
        assert "申诉通过了" in (await browser.look()).text
        town.world.join(town.group, person)
        await town.life.run(MINUTES)
        assert len(await town.cases()) == 1


async def test_an_open_case_is_closed_by_it(sqlite_url: str, story: str) -> None:
    """Where nobody has removed the person yet, 放行 calls that off too."""
    async with open_town(sqlite_url, BLOCKING) as town:
        person = town.world.add_customer("小李代购")
        town.world.join(town.group, person)
        await town.life.run(10 * SECONDS)
        await town.browser(town.appeal_url(person)).send(text=story)
        await town.press("lihua", f"appeal:release:{(await appeals(town))[0].id}")
        await town.life.run(10 * SECONDS)
        assert [case.outcome for case in await town.cases()] == ["released"]
        assert town.cards()[-1].replaced == "已放行"


async def test_upholding_changes_nothing_but_the_answer(sqlite_url: str, story: str) -> None:
    """维持: the person stays on the list, is told so on the page, and cannot appeal a second time."""
    async with open_town(sqlite_url, BLOCKING) as town:
        person = await a_removal(town)
        browser = town.browser(town.appeal_url(person))
        await browser.send(text=story)
        await town.press("lihua", f"appeal:uphold:{(await appeals(town))[0].id}")
        assert "维持原来的处理" in (await browser.look()).text
        key = town.life.bot.worker.hands.links.form_key("appeal", browser.url.rpartition("/")[2])
        await browser.client.post(browser.url, data={"key": key, "text": "再说一次"})
        async with town.life.bot.store.read() as tx:
            assert len(await blocks.blocked(tx, [person.id])) == 1
        assert len(await appeals(town)) == 1


async def test_one_appeal_a_case(sqlite_url: str, story: str) -> None:
    """Sent twice it is one, with the words of the first; an empty one is none."""
    async with open_town(sqlite_url, BLOCKING) as town:
        person = await a_removal(town)
        url = town.appeal_url(person)
        assert "还没有写" in (await town.browser(url).send(text=" \n ")).text
        key = town.life.bot.worker.hands.links.form_key("appeal", url.rpartition("/")[2])
        for text in (story, "第二次"):
            answer = await town.browser(url).client.post(url, data={"key": key, "text": text})
            assert answer.status_code == 303
        [matter] = await appeals(town)
        assert "我不是代购" in matter.text
        assert "第二次" not in matter.text


async def test_only_managers_decide(sqlite_url: str, story: str) -> None:
    """The owner's good link with the appeal's number decides nothing; nor does a word that is no verdict."""
    async with open_town(sqlite_url, BLOCKING) as town:
        person = await a_removal(town)
        await town.browser(town.appeal_url(person)).send(text=story)
        matter = (await appeals(town))[0].id
        town.world.join(town.group, town.world.add_customer("小王代购"))
        await town.life.run(10 * SECONDS)
        await town.press("wangwu", f"appeal:release:{matter}")
        await town.press("lihua", f"appeal:nonsense:{matter}")
        assert (await appeals(town))[0].key is not None


async def test_a_link_is_for_one_person_and_case_and_ends(sqlite_url: str) -> None:
    """Somebody else's name with the case's number, or a case there is not, is 410; after thirty days too."""
    async with open_town(sqlite_url, BLOCKING) as town:
        person = await a_removal(town)
        for other in (town.appeal_url(town.people["小美"]), town.appeal_url(person, 99)):
            assert (await town.browser(other).look()).status_code == 410
        url = town.appeal_url(person)
        town.life.clock.advance(timedelta(days=30))
        assert (await town.browser(url).look()).status_code == 200
        town.life.clock.advance(timedelta(seconds=1))
        late = await town.browser(url).look()
        assert (late.status_code, "过期" in late.text, "今日待办" in late.text) == (410, True, False)
        assert (await town.browser(url[:-2]).look()).status_code == 403


async def test_what_was_taken_back_needs_no_appeal(sqlite_url: str) -> None:
    """A case that was released already says so and takes nothing."""
    async with open_town(sqlite_url, BLOCKING) as town:
        person = town.world.add_customer("小李代购")
        town.world.join(town.group, person)
        await town.life.run(10 * SECONDS)
        await town.press("wangwu", "release:1")
        browser = town.browser(town.appeal_url(person))
        assert "不用申诉了" in (await browser.look()).text
        assert await appeals(town) == []
        async with town.life.bot.store.read() as tx:
            assert await blocks.blocked(tx, [person.id]) == []


async def test_staff_have_the_link_at_hand(sqlite_url: str) -> None:
    """The list shows the appeal link of each person, ready to be copied; it opens."""
    async with open_town(sqlite_url, BLOCKING) as town:
        town.world.join(town.group, town.world.add_customer("小李代购"))
        await town.life.run(10 * SECONDS)
        page = await town.browser(town.todo_url("wangwu")).look()
        url = page.text.split('<p class="words">')[1].split("<")[0]
        assert "/appeal/" in url
        assert "觉得我们弄错了" in (await town.browser(url).look()).text

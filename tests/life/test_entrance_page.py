"""What a printed code opens, from the poster to the group: the pages for customers, staff, strangers and browsers."""

import re
from collections.abc import AsyncIterator

import pytest
from rich.console import Console

from bot.explain.tell import find, tell
from bot.explain.words import show
from simulator import ImpossibleError
from simulator.webview import decode
from tests.life.conftest import StartLife
from tests.life.doors import DAYS, HOURS, MINUTES, SECONDS, WALL, Doors, door_book


@pytest.fixture
async def doors(start_life: StartLife) -> AsyncIterator[Doors]:
    """Three groups for one customer each, a spare one, a shared one."""
    async with start_life(door_book()) as life:
        yield await Doors(life).opens()


async def test_from_the_poster_into_a_group_of_ones_own(doors: Doors) -> None:
    """The page shows one code, which leads into an empty group; afterwards it says that they are inside."""
    person = doors.customer()
    seen = await doors.scans(person)
    assert "您的专属群准备好了" in seen.text
    group = await doors.joins(person)
    assert group.name.startswith("VIP·")
    assert [each.id for each in group.members.values() if each.type == 2] == [person.id]
    await doors.life.run(1 * MINUTES)
    assert "您已经在群里了" in (await doors.scans(person)).text


async def test_loading_again_and_going_back_change_nothing(doors: Doors) -> None:
    """One person has one place and one code, however often and by whatever channel they open the page."""
    person = doors.customer()
    first = await doors.scans(person)
    for path in ("/e/vip-tea", "/e/vip-tea?from=shop-12", "/e/vip-tea?r=5", "/e/vip-tea?r=x&from=<b>"):
        await doors.life.run(10 * MINUTES)
        assert (await doors.scans(person, path)).codes == first.codes


async def test_the_code_is_an_image_of_ours(doors: Doors) -> None:
    """A real <img> from our own host, drawn from what the platform's picture says; the page forbids everything else."""
    person = doors.customer()
    seen = await doors.scans(person)
    sources = re.findall(r'(?:src|href)="([^"]*)"', seen.html)
    assert all(each.startswith(("../", "?")) for each in sources)
    assert sum(each.startswith("../code/") for each in sources) == 1
    answer = await doors.life.browser.get("http://bot/e/vip-tea", headers={"user-agent": "MicroMessenger"})
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert doors.world.codes.find(seen.codes[0].rpartition("/")[2]) is not None


async def test_two_customers_never_see_one_code(doors: Doors) -> None:
    """Each gets a group of their own, then a spare one, then the shared one."""
    groups = [await doors.joins(doors.customer(f"客户{n}")) for n in range(6)]
    assert [each.name[:2] for each in groups] == ["VI", "VI", "VI", "备用", "会员", "会员"]
    assert len({each.chat_id for each in groups[:4]}) == 4


async def test_when_everything_is_full_they_stand_in_line(start_life: StartLife) -> None:
    """The page says which place is theirs; when a group appears the first in line gets it, and the page shows it."""
    async with start_life(door_book(if_full="", spare=[])) as life:
        doors = await Doors(life).opens(vip=1, members=0)
        await doors.joins(doors.customer("第一位"))
        people = [doors.customer(name) for name in ("第二位", "第三位")]
        for place, person in enumerate(people, 1):
            assert f"第 {place} 位" in (await doors.scans(person)).text
        doors.world.create_group("VIP·009", "wangwu")
        await life.run(5 * MINUTES)
        assert "您的专属群准备好了" in (await doors.scans(people[0])).text
        assert "第 1 位" in (await doors.scans(people[1])).text


async def test_a_picture_that_does_not_load_is_not_shown(doors: Doors) -> None:
    """Where the platform's picture cannot be had the page says 正在准备 and looks again; then the code is shown."""
    person = doors.customer()
    doors.world.faults.pictures_away = 1.0
    view = doors.world.web.of(person)
    seen = await view.open(f"{WALL}/e/vip-tea")
    assert "正在准备" in seen.text
    assert "<img" not in seen.html
    assert seen.refresh == (3, f"{WALL}/e/vip-tea?r=1")
    for _ in range(12):
        seen = await view.again()
    assert seen.refresh == (10, f"{WALL}/e/vip-tea?r=13")
    assert "比平时久了一点" in seen.text
    doors.world.faults.stop()
    assert len((await view.again()).codes) == 1


async def test_adding_staff_first(doors: Doors) -> None:
    """A contact entrance shows the 联系我 code; the welcome brings a personal link; it leads into a group."""
    person = doors.customer()
    seen = await doors.scans(person, "/e/contact-door")
    assert "先加一位导购" in seen.text
    assert doors.world.scan(person, seen.codes[0]).staff is doors.world.staff["wangwu"]
    await doors.life.run(10 * SECONDS)
    [greeting] = doors.world.welcomes.seen_by(person.id)
    assert "点下面的链接" in greeting.text
    url = greeting.text.rpartition("\n")[2]
    assert url.startswith(f"{WALL}/entrance/")
    seen = await doors.scans(person, url.removeprefix(WALL))
    assert "请进群" in seen.text
    group = doors.world.scan(person, seen.codes[0]).group
    assert group is not None
    assert group.name == "会员1群"


async def test_wecoms_own_code_for_a_poster(start_life: StartLife) -> None:
    """A native entrance's page shows WeCom's own code; /direct.png is that code with our logo; both let people in."""
    book = door_book()
    native = book.entrances[1].model_copy(update={"name": "native-door", "via": "native"})
    async with start_life(book.model_copy(update={"entrances": (*book.entrances, native)})) as life:
        doors = await Doors(life).opens()
        first, second = doors.customer(), doors.customer("林琳")
        [code] = (await doors.scans(first, "/e/native-door")).codes
        answer = await life.browser.get("http://bot/e/native-door/direct.png?size=print")
        assert decode(answer.content) == [code]
        assert "image/svg" in (await life.browser.get("http://bot/e/native-door/direct.svg")).headers["content-type"]
        for person in (first, second):
            group = doors.world.scan(person, code).group
            assert group is not None
            assert group.name == "会员1群"
        contact = await life.browser.get("http://bot/e/contact-door/direct.png")
        assert doors.world.scan(doors.customer("周舟"), decode(contact.content)[0]).staff is not None
        assert (await life.browser.get("http://bot/e/vip-tea/direct.png")).status_code == 404


async def test_a_link_of_the_welcome_explains_itself(doors: Doors) -> None:
    """Somebody else who got it passed on has to add staff themselves; an old or broken one says what it is."""
    person, other = doors.customer(), doors.customer("林琳")
    doors.world.scan(person, (await doors.scans(person, "/e/contact-door")).codes[0])
    await doors.life.run(10 * SECONDS)
    path = doors.world.welcomes.seen_by(person.id)[0].text.rpartition("\n")[2].removeprefix(WALL)
    assert "先加一位导购" in (await doors.scans(other, path)).text
    assert "这个链接不对" in (await doors.scans(person, path + "x")).text
    doors.life.clock.advance(8 * DAYS)
    assert "过期" in (await doors.scans(person, path)).text


async def test_our_own_staff_see_numbers(doors: Doors) -> None:
    """How many are left, how fast they go, where people came from; and nobody is given a group for looking."""
    for name, path in (("甲", "/e/vip-tea?from=shop-12"), ("乙", "/e/vip-tea?from=shop-12"), ("丙", "/e/vip-tea")):
        await doors.joins(doors.customer(name), path)
    seen = await doors.scans(doors.world.staff["wangwu"])
    assert "还有专属群 0 个" in seen.text
    assert "备用 1 个" in seen.text
    assert "shop-12 2 人" in seen.text
    assert seen.codes == (f"{WALL}/e/vip-tea",)


async def test_people_at_the_wrong_door(doors: Doors) -> None:
    """Another company's WeCom user is asked to use WeChat, a browser outside WeChat gets the code to scan."""
    rival = doors.world.add_rival("孙强", "隔壁茶业")
    seen = await doors.scans(rival)
    assert "企业微信" in seen.text
    assert seen.codes == (f"{WALL}/e/vip-tea",)
    seen = await doors.scans(doors.customer(), "/e/vip-tea?from=shop-12", agent="other")
    assert "请用微信打开" in seen.text
    assert seen.codes == (f"{WALL}/e/vip-tea?from=shop-12",)


async def test_an_entrance_that_is_not_there(doors: Doors) -> None:
    """A wrong name is explained, before anybody is asked who they are."""
    seen = await doors.scans(doors.customer(), "/e/no-such-door")
    assert (seen.status, "没有这个入口" in seen.text) == (404, True)


async def test_a_door_that_was_used_is_closed(doors: Doors) -> None:
    """After the customer is in, the code that they were shown lets nobody else in."""
    person = doors.customer()
    [code] = (await doors.scans(person)).codes
    doors.world.scan(person, code)
    await doors.life.run(2 * MINUTES)
    with pytest.raises(ImpossibleError, match="失效"):
        doors.world.scan(doors.customer("陌生人"), code)


async def test_too_many_looks_are_slowed_down(doors: Doors) -> None:
    """One visitor who loads a page without end is asked to wait; a minute later all is well."""
    view = doors.world.web.of(doors.customer())
    texts = [(await view.open(f"{WALL}/e/vip-tea?r=1")).text for _ in range(70)]
    assert sum("打开得太快了" in each for each in texts) == 10
    await doors.life.run(1 * MINUTES)
    assert "您的专属群" in (await view.open(f"{WALL}/e/vip-tea")).text


async def test_a_seat_is_kept_for_whoever_comes_back_tomorrow(doors: Doors) -> None:
    """The code that was shown last night still leads into their group in the morning."""
    person = doors.customer()
    [code] = (await doors.scans(person)).codes
    await doors.life.stride(12 * HOURS, stops=2)
    assert (await doors.scans(person)).codes == (code,)


async def test_explain_tells_who_got_which_door_and_why(doors: Doors) -> None:
    """`explain` of a customer says what their scans came to, also before they were known; of a group, who got it."""
    person = doors.customer("安娜")
    group = await doors.joins(person, "/e/vip-tea?from=shop-12")
    await doors.life.run(10 * MINUTES)
    await doors.scans(person)  # the same again is not told again
    said = " ".join((await explained(doors, "安娜")).split())
    assert f"入口 vip-tea 有群 访客 1 在「{group.name}」：从入口 vip-tea 给了TA一个群" in said
    assert "渠道 shop-12" in said
    assert said.count("入口 vip-tea") == 2  # once as the rule, once in its words
    assert "从入口 vip-tea 给了TA一个群" in await explained(doors, group.name)


async def explained(doors: Doors, typed: str) -> str:
    """What `steward explain` prints."""
    console = Console(record=True, width=200)
    async with doors.life.bot.store.read() as tx:
        [candidate] = await find(tx, typed)
        with console.capture() as captured:
            show(await tell(tx, candidate), console)
    return captured.get()


async def test_a_page_that_wakes_while_the_seat_ends(doors: Doors) -> None:
    """A phone slept for a day with the page open; it wakes just when the seat ends: the group is still theirs."""
    person = doors.customer()
    view, group = doors.world.web.of(person, ""), "「VIP·001」"
    assert group in (await doors.scans(person)).text
    doors.life.clock.advance(24 * HOURS + SECONDS)
    await doors.life.run(10 * SECONDS)
    seen = await view.again()
    for _ in range(10):
        if "正在准备" in seen.text:
            await doors.life.run(3 * SECONDS)
            seen = await view.again()
    assert group in seen.text

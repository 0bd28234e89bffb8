"""The doors: one customer one group from a poster, the pool runs low, then empty, and nobody is turned away."""

from datetime import timedelta

from bot.demo.stage import Kept, Stage
from rules.book import Book
from rules.stock import Threshold
from simulator import Customer, ImpossibleError, Seen, World

OWN, FRIEND = "vip-tea", "newcomer-door"
"""The entrances of config.yaml that are played."""

STRANGER = "门外的人"


def with_a_small_pool(book: Book) -> Book:
    """Three groups are quickly used up; the example's twenty would be a long story."""
    smaller = [
        each.model_copy(update={"warn_below": Threshold(number=2, unit="groups")}) if each.name == OWN else each
        for each in book.entrances
    ]
    return book.model_copy(update={"entrances": tuple(smaller)})


def are_there(book: Book) -> bool:
    """Whether this config has the doors that the story is about."""
    return all(book.entrance(name) is not None for name in (OWN, FRIEND))


def prepare(world: World) -> None:
    """The groups that staff have made before the story begins."""
    for name, owner in (
        *((f"VIP·静安{n:02}", "wangwu") for n in (1, 2, 3)),
        ("备用·静安1", "zhaoliu"),
        ("新人打卡·静安1群", "zhaoliu"),
        ("会员·静安1群", "zhaoliu"),  # for those who graduate: bot/demo/week.py
    ):
        world.create_group(name, owner)


async def doors(stage: Stage) -> None:
    """Eight to eleven of the story."""
    world = stage.world
    await stage.scene("八、一客一群：店里备着三个群；顾客扫海报上的码，得到一个自己的群，进去以后门就关上")
    stage.console.print(f"海报上的码：{stage.shop}/e/{OWN}/qr.png   顾客看到的页面：{stage.shop}/e/{OWN}")
    first = world.add_customer("苏小姐")
    code = await _joins(stage, first)
    await stage.run(timedelta(minutes=2))
    await _tries(stage, code)

    await stage.scene("九、又来一位，群快用完了：店员先收到卡片，写着该建什么样的群")
    await _joins(stage, world.add_customer("何太太"))
    await stage.run(timedelta(minutes=2))

    await stage.scene("十、用完了：备用群顶上；备用的也没了，就请顾客先加导购，欢迎语里带着进群的链接")
    for name in ("方先生", "罗阿姨"):
        await _joins(stage, world.add_customer(name))
        await stage.run(timedelta(minutes=2))
    late = world.add_customer("唐小姐")
    seen = await _scans(stage, late, f"/e/{OWN}")
    await _presses(stage, late, seen)
    greetings = world.welcomes.seen_by(late.id)
    if greetings:
        seen = await _scans(stage, late, greetings[-1].text.rpartition("\n")[2].removeprefix(stage.shop))
        await _presses(stage, late, seen)

    await stage.scene("十一、王五照卡片上写的建了三个群：卡片自己收起，下一位又有专属的群")
    for n in (4, 5, 6):
        world.create_group(f"VIP·静安{n:02}", "wangwu")
    await stage.run(timedelta(minutes=5))
    await _joins(stage, world.add_customer("江先生"))
    await stage.run(timedelta(minutes=2))


async def _joins(stage: Stage, person: Customer) -> str:
    """From the poster into the group. Returns the code that they were shown."""
    seen = await _scans(stage, person, f"/e/{OWN}?from=poster")
    await _presses(stage, person, seen)
    return seen.codes[0] if seen.codes else ""


async def _scans(stage: Stage, person: Customer, path: str) -> Seen:
    view = stage.world.web.of(person)
    seen = await view.open(stage.shop + path)
    for _ in range(20):
        if "正在准备" not in seen.text:
            break
        await stage.run(timedelta(seconds=3))
        seen = await view.again()
    heading = next((words for words in seen.headings), seen.text[:30])
    stage.entered.append((person.id, heading))
    await stage.say(person.name, f"打开网页，看到：「{heading}」")
    return seen


async def _presses(stage: Stage, person: Customer, seen: Seen) -> None:
    """They press and hold the code that the page shows."""
    for code in seen.codes[:1]:
        stage.world.scan(person, code)
        await stage.run(timedelta(seconds=30))


async def _tries(stage: Stage, code: str) -> None:
    """Somebody got the code passed on."""
    try:
        stage.world.scan(stage.world.add_customer(STRANGER), code)
    except ImpossibleError as no:
        await stage.say(STRANGER, f"拿转发来的码再扫，手机说：{no}")


def kept_at_the_doors(stage: Stage) -> list[Kept]:
    """What entrances promise, looked at in the world itself."""
    world = stage.world
    own = [each for each in world.groups.values() if each.name.startswith(("VIP·", "备用·"))]
    inside = {each.name: [who for who in each.members if who in world.customers] for each in own}
    crowded = [name for name, people in inside.items() if len(people) > 1]
    people = {who for who, _ in stage.entered}
    somewhere = {who for each in world.groups.values() for who in each.members} & people
    cards = {each.task_id for each in world.sent if (each.task_id or "").startswith("stock-")}
    strangers = {each.id for each in world.customers.values() if each.name == STRANGER}
    got_in = [each.name for each in own if strangers & set(each.members)]
    return [
        Kept(
            "一客一群：没有两位顾客进同一个群，进去以后门就关上",
            not crowded and not got_in and sum(map(len, inside.values())) >= 4,
            f"{sum(map(len, inside.values()))} 位顾客各有一个群；拿旧码的人进来 {len(got_in)} 个",
        ),
        Kept("群快用完、用完了，各告诉店员一次", len(cards) == 2, f"卡片 {len(cards)} 张"),
        Kept(
            "群用完了，来的顾客也有去处",
            bool(people) and somewhere == people,
            f"扫码的 {len(people)} 位，进了群的 {len(somewhere)} 位",
        ),
    ]

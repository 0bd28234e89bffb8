"""A draw: rules first, everybody once, winners that anybody can work out again, and a code for the shop."""

from datetime import datetime, timedelta

from bot.demo.stage import Kept, Stage
from bot.demo.week import GROUP
from handlers.draw_pick import proof_of
from rules.book import Book
from rules.clock import BEIJING
from rules.draw_proof import verify
from rules.draws import Draw, Eligibility
from simulator import Customer, Seen
from store import draw_entrants, draw_winners, draws

NAME = "tea-sample"
"""The draw of config.yaml that is played, a few days after its beginning."""

AT = datetime(2026, 11, 30, 20, 0, tzinfo=BEIJING)
PLAYERS = ("唐小姐", "林小满", "陈阿姨")


def draw_soon(book: Book) -> Book:
    """The example's draw is on a Saturday of next month, for who is a member for a week: here it is sooner, for all."""
    at = f"{AT:%Y-%m-%d %H:%M}"

    def sooner(draw: Draw) -> Draw:
        prize = tuple(each.model_copy(update={"shares": 2}) for each in draw.prize)
        whole = draw.model_dump(mode="json") | {"when": at, "who": Eligibility().model_dump(mode="json")}
        return Draw.model_validate(whole).model_copy(update={"prize": prize})

    return book.model_copy(update={"draws": tuple(sooner(each) if each.name == NAME else each for each in book.draws)})


def is_drawn(book: Book) -> bool:
    """Whether this config has the draw that the story is about."""
    draw = book.draw(NAME)
    return draw is not None and draw.way_in == "sign_up" and draw.pay_by == "coupon"


async def the_draw(stage: Stage) -> None:
    """Thirteen of the story."""
    world = stage.world
    await stage.scene("十三、抽奖：规则先公示，名单截止就公布指纹；谁都可以重新算一遍")
    stage.console.print(f"抽奖的页面：{stage.shop}/d/{NAME}   存证：steward draw proof {NAME}")
    stage.only = ("抽奖", "尝鲜")
    players = [next(each for each in world.customers.values() if each.name == name) for name in PLAYERS]
    group = next(each for each in world.groups.values() if each.name == GROUP)
    for who in players:
        world.make_contact("zhaoliu", who)
        if who.id not in group.members:
            world.join(group, who)
    await stage.leap(AT - timedelta(hours=23, minutes=50))
    for who in players:
        await _enters(stage, who)
    await _enters(stage, players[0])
    await stage.leap(AT + timedelta(minutes=1))
    for who in players:
        await _claims(stage, who)
    async with stage.bot.store.read() as tx:
        row = await draws.called(tx, NAME)
        checks = verify((await proof_of(tx, row)).model_dump()) if row and row.drawn_at else []
    stage.console.print(f"重新算一遍：{'，'.join(f'{each.what} {_MARK[each.ok]}' for each in checks)}")
    stage.only = ()


_MARK = {True: "✓", False: "✗"}


async def _enters(stage: Stage, who: Customer) -> None:
    view = stage.world.web.of(who)
    seen = await view.open(f"{stage.shop}/d/{NAME}")
    again = 'value="enter"' not in seen.html
    if not again:
        seen = await view.press("我要参加", act="enter")
    await stage.say(who.name, f"{'又打开一次' if again else '按「我要参加」'}，看到：「{_said(seen)}」")


async def _claims(stage: Stage, who: Customer) -> None:
    view = stage.world.web.of(who)
    seen = await view.open(f"{stage.shop}/d/{NAME}")
    if "恭喜您中奖了" in seen.text:
        seen = await view.press("领奖", act="claim")
        await stage.say(who.name, f"中奖了，按「领奖」，到店给店员看这个码：{_code(seen)}")
    else:
        await stage.say(who.name, "这次没有中奖")


def _said(seen: Seen) -> str:
    return "您已经参加了" if "您已经参加了" in seen.text else seen.text[:40]


def _code(seen: Seen) -> str:
    return seen.html.partition('<p class="code-words">')[2].partition("</p>")[0]


async def kept_in_the_draw(stage: Stage) -> Kept:
    """What a draw promises, out of the bot's tables and the file that it publishes."""
    async with stage.bot.store.read() as tx:
        row = await draws.called(tx, NAME)
        entrants = await draw_entrants.count(tx, row.id) if row else 0
        winners = await draw_winners.of_draw(tx, row.id) if row else []
        checks = verify((await proof_of(tx, row)).model_dump()) if row and row.drawn_at else []
    wrong = [each.place for each in checks if not each.ok]
    people = {each.person for each in winners}
    return Kept(
        "抽奖：按几次都算一次，一人最多一份，谁都能重新算一遍",
        bool(checks) and not wrong and entrants == len(PLAYERS) and len(people) == len(winners) == 2,
        f"{entrants} 人参加，{len(people)} 人中奖，核对 {len(checks)} 项，{len(wrong)} 项不对",
    )

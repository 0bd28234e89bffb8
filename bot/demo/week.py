"""Seven days of a newcomer: from the poster's group to the member group, on a clock that leaps from day to day."""

import io
import re
from datetime import datetime, time, timedelta

from PIL import Image

from bot.demo.stage import Kept, Stage
from rules.book import Book
from rules.checkins import Checkin
from rules.clock import BEIJING
from simulator import Customer, Seen
from store import checkin_rewards, checkins, coupon_codes, identities

NAME, DOOR = "newcomer-7", "members-door"
"""The check-in and the graduates' entrance of config.yaml that are played."""

WHO = "唐小姐"
MISSED = 3  # on this day she does not come
AT = time(10, 5)
EVENING = time(19, 30)
GROUP = "会员·静安1群"
WORDS = {"answer": "", "evidence": "第七天的白茶最好喝"}


def is_there(book: Book) -> bool:
    """Whether this config has the check-in that the story is about."""
    return book.checkin(NAME) is not None and book.entrance(DOOR) is not None


async def seven_days(stage: Stage) -> None:
    """Twelve of the story: she has added a member of staff, and joined the newcomers' group, on day one."""
    checkin = stage.bot.worker.rules.book.checkin(NAME)
    if checkin is None:
        return
    who = next(each for each in stage.world.customers.values() if each.name == WHO)
    stage.world.staff["zhaoliu"].confirms(after=timedelta(minutes=3))
    await stage.scene("十二、七天打卡：唐小姐进了新人群，每天一件小事；时钟走快些，一天几秒")
    stage.console.print(f"打卡的页面：{stage.shop}/c/{NAME}   负责人看进展：steward checkin {NAME}")
    await _stock_coupons(stage, checkin)
    stage.only = (WHO, "打卡·", "七天")
    for number in range(1, checkin.length + 1):
        if number > 1:
            await _next_morning(stage)
        if number == MISSED:
            await stage.say(WHO, "这天忙，没来；到了傍晚，请加过她的赵六提醒一句")
            await _until(stage, EVENING)
            await stage.run(timedelta(minutes=10))
            continue
        if number == MISSED + 1:
            yesterday = stage.clock.now().astimezone(BEIJING).date() - timedelta(days=1)
            await _does(stage, who, f"?makeup={yesterday}", "补签", number - 1)
        await _does(stage, who, "", "打卡", number)
    await stage.run(timedelta(minutes=15))
    seen = await stage.world.web.of(who).open(f"{stage.shop}/c/{NAME}")
    await stage.say(WHO, f"看到：「{_between(seen, 'farewell')}」{_coupon(seen)}")
    await _goes_on(stage, who)
    stage.only = ()


async def _stock_coupons(stage: Stage, checkin: Checkin) -> None:
    """What a manager does with `steward draw codes`."""
    codes = [f"TEA{number:04}" for number in range(1, 21)]
    async with stage.bot.store.write() as tx:
        for sheet in {each.coupon for each in checkin.rewards.values() if each.coupon}:
            await coupon_codes.add(tx, sheet, codes, now=stage.clock.now())


async def _does(stage: Stage, who: Customer, query: str, button: str, number: int) -> None:
    """Open the page, do what the day asks for, and press."""
    view = stage.world.web.of(who)
    html = (await view.open(f"{stage.shop}/c/{NAME}{query}")).html
    theme = html.partition("<h2>")[2].partition("</h2>")[0]
    answers = {key: words for key, words in WORDS.items() if f'name="{key}"' in html}
    if "answer" in answers:
        answers["answer"] = html.partition('name="answer" value="')[2].partition('"')[0]
    seen = await view.press(button, _photo() if 'name="picture"' in html else None, **answers)
    said = "，".join(answers.values()) or ("传了一张图片" if 'name="picture"' in html else "")
    did = f"第 {number} 天「{theme}」{f'：{said}' if said else ''}，按「{button}」"
    await stage.say(who.name, f"{did}，看到：「{_between(seen, 'big')}」")
    await stage.run(timedelta(minutes=1))


def _photo() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (320, 240), "#7a4b2a").save(picture, "JPEG")
    return picture.getvalue()


def _between(seen: Seen, name: str) -> str:
    """What stands in the page's paragraph of this class."""
    return " ".join(seen.html.partition(f'<p class="{name}">')[2].partition("</p>")[0].split())


def _coupon(seen: Seen) -> str:
    found = re.search(r"TEA\d{4}", seen.text)
    return f"，还有一张茶券 {found[0]}" if found else ""


async def _goes_on(stage: Stage, who: Customer) -> None:
    """She opens what her shop assistant has sent her, and presses the code of the member group."""
    view = stage.world.web.of(who)
    seen = await view.open(f"{stage.shop}/e/{DOOR}?from=checkin")
    for _ in range(20):
        if seen.codes or "正在准备" not in seen.text:
            break
        await stage.run(timedelta(seconds=3))
        seen = await view.again()
    for code in seen.codes[:1]:
        stage.world.scan(who, code)
        await stage.run(timedelta(minutes=1))


async def _next_morning(stage: Stage) -> None:
    day = stage.clock.now().astimezone(BEIJING).date() + timedelta(days=1)
    stage.console.print(f"[dim]—— {day.month}月{day.day}日 ——[/]")
    await stage.leap(datetime.combine(day, AT, BEIJING))
    stage.only = (WHO, "七天")  # the daily post is told once


async def _until(stage: Stage, at: time) -> None:
    await stage.leap(datetime.combine(stage.clock.now().astimezone(BEIJING).date(), at, BEIJING))


async def kept_in_seven_days(stage: Stage) -> list[Kept]:
    """What a check-in promises, looked at in the world itself and in the bot's tables."""
    who = next(each for each in stage.world.customers.values() if each.name == WHO)
    inside = [each.name for each in stage.world.groups.values() if who.id in each.members]
    async with stage.bot.store.read() as tx:
        visitor = await identities.visitor_with(tx, "external_userid", who.id)
        row = await checkins.of_visitor(tx, NAME, visitor) if visitor is not None else None
        days = await checkins.days_of(tx, row.id) if row else []
        rewards = await checkin_rewards.of_visitor(tx, visitor) if visitor is not None else []
    coupons = [each for each in rewards if each.milestone == len(days) and each.state == "handed"]
    state = "毕业" if row and row.state == "graduated" else "没有毕业"
    return [
        Kept(
            "七天打卡：一天算一次，漏的补上了，打满的奖只发一次，毕业请进会员群",
            state == "毕业" and len(days) == len({day.on for day in days}) and len(coupons) == 1 and GROUP in inside,
            f"打了 {len(days)} 天（补签 {sum(day.kind == 'make_up' for day in days)} 天），{state}，"
            f"券 {len(coupons)} 张，进了「{'」「'.join(each for each in inside if each == GROUP) or '—'}」",
        )
    ]

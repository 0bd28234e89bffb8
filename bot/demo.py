"""`steward demo`: a morning in a shop, played for real. A simulated WeCom and a whole bot, on two loopback ports,
talk HTTP with real signatures and encryption; the clock is virtual, so a morning takes seconds.

It reads no `.env` and no environment, writes to a temporary folder only, and its gateway refuses any address but
loopback.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import httpx2
from rich.console import Console
from rich.table import Table

from bot import server
from bot.callback import Receive, Scope, Send
from bot.config.read import read_config
from bot.settings import Settings
from bot.step import settle
from bot.wiring import Bot, Outside, open_bot
from bot.worker import Rules
from rules.book import Book
from rules.clock import BEIJING
from rules.decision import Decision
from rules.removal import OUTCOMES
from simulator import Customer, Faults, VirtualClock, World, create_app
from store import inbox, removal, roster, trace
from wecom.limits import Unlimited

NEVER = timedelta.max
OPENS_AT = datetime(2026, 11, 23, 9, 0, tzinfo=BEIJING)
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Kept:
    """One promise, whether it was kept, and what was seen."""

    promise: str
    kept: bool
    seen: str


@dataclass
class Stage:
    """The world, the bot, one clock for both, and somebody who tells what happens."""

    world: World
    bot: Bot
    clock: VirtualClock
    console: Console
    pause: Pause
    phone: str
    asked: list[tuple[str, timedelta]] = field(default_factory=list)
    _told: int = 0
    _sent: int = 0
    _traced: int = 0
    _looked_at: datetime = OPENS_AT

    async def settle(self) -> None:
        """Everything that is due now, in the world and in the bot, told as it happens."""
        while await self.world.run_due() + await settle(self.bot.worker):
            await self._tell()
        await self._tell()

    async def run(self, span: timedelta) -> None:
        """Let time pass, moment by moment."""
        end = self.clock.now() + span
        await self.settle()
        while True:
            moments = [at for at in (self.world.next_due(), await self.bot.worker.next_due()) if at is not None]
            at = min(moments, default=None)
            if at is None or at > end:
                break
            self.clock.set(max(at, self.clock.now()))
            await self.settle()
        self.clock.set(end)

    async def scene(self, title: str) -> None:
        """Say what comes next."""
        await self._tell()
        self.console.print(f"\n[bold]{title}[/bold]")
        await self.pause(2)

    async def _tell(self) -> None:
        lines = [
            (each.at, f"[cyan]{each.actor}[/] {each.text_zh}")
            for each in self.world.on_story[self._told :]
            if not each.text_zh.startswith("收到")  # told below, with what the message says
        ]
        self._told = len(self.world.on_story)
        lines += await self._decided()
        lines += self._messages()
        lines += await self._closed()
        for at, line in sorted(lines, key=lambda each: each[0]):
            self.console.print(_row(at, line), highlight=False)
            await self.pause(1)

    async def _decided(self) -> list[tuple[datetime, str]]:
        lines = []
        async with self.bot.store.read() as tx:
            for row in await trace.since(tx, self._traced):
                self._traced = row.id or self._traced
                for decision in _worth_telling(trace.decisions(row)):
                    person = self.world.customers.get(decision.subject)
                    who = person.title if person else self.world.groups[decision.chat_id].name
                    line = f"{BOT} {_VERDICTS[decision.verdict]} {who}：{decision.because}"
                    if row.event != "person_check_due" or decision.verdict != "hit":  # asked again, and nothing new
                        lines.append((row.at, line))
        return lines

    def _messages(self) -> list[tuple[datetime, str]]:
        lines = []
        for sent in self.world.sent[self._sent :]:
            first, *more = sent.text.splitlines()
            to = self.world.staff[sent.userid].name
            text = "\n".join(
                [f"{BOT} → {to}：[blue]{_KINDS[sent.kind]}[/] {first}", *(f"[dim]{line}[/]" for line in more)]
            )
            lines.append((sent.at, text))
        self._sent = len(self.world.sent)
        return lines

    async def _closed(self) -> list[tuple[datetime, str]]:
        async with self.bot.store.read() as tx:
            closed = await removal.closed_since(tx, self._looked_at)
        self._looked_at = max([self._looked_at, *(case.closed_at for case in closed if case.closed_at)])
        return [
            (case.closed_at, f"{BOT} 结案 #{case.id}：{OUTCOMES[case.outcome]}") for case in closed if case.closed_at
        ]


def _row(at: datetime, line: str) -> Table:
    """The time, and beside it the line, which may be long."""
    row = Table.grid(padding=(0, 1))
    row.add_column(style="dim", no_wrap=True)
    row.add_column(overflow="fold")
    row.add_row(f"{at.astimezone(BEIJING):%H:%M:%S}", line)
    return row


def _worth_telling(decisions: Sequence[Decision]) -> Iterator[Decision]:
    """Whatever a rule found; of the many that found nothing, whether somebody is one of us or of another company."""
    yield from (each for each in decisions if each.verdict != "miss" or each.rule == "other_company")


BOT = "[magenta]群管家[/]"
_VERDICTS = {"hit": "[red]命中[/]", "miss": "[green]放过[/]", "unknown": "[yellow]存疑[/]"}
_KINDS = {"card": "卡片", "text": "消息"}


async def play(console: Console, config: Path, folder: Path, *, pause: Pause, stay: bool, seed: int) -> list[Kept]:
    """Play the morning. Returns the promises and whether each was kept. With `stay`, goes on until interrupted."""
    async with _stage(console, read_config(config, Book), folder, pause, seed) as stage:
        console.print(
            f"群管家演示：模拟的企业微信在 {stage.phone}（可以扮演任何人：{stage.phone}/phone），从早上九点开始。"
        )
        await morning(stage)
        kept = await check_promises(stage)
        console.print(_table(kept))
        if stay:
            await _stay(stage)
        return kept


@asynccontextmanager
async def _stage(console: Console, book: Book, folder: Path, pause: Pause, seed: int) -> AsyncIterator[Stage]:
    clock = VirtualClock(OPENS_AT)
    # Some answers of the bot get lost on their way: the platform tries again, and nothing may happen twice.
    world = World(clock=clock, seed=seed, aes_key=AES_KEY, faults=Faults(doubled=0.3, answer_lost=0.3))
    tokens = (f"demo-{n}" for n in count())
    opened: list[Bot] = []

    async def to_bot(scope: Scope, receive: Receive, send: Send) -> None:
        """The bot's port has to be known before there is a bot: its links are written with it."""
        if scope["type"] == "http":
            await opened[0].app(scope, receive, send)

    async with (
        server.running(create_app(world), "127.0.0.1", 0) as port,
        server.running(to_bot, "127.0.0.1", 0) as bot_port,
        httpx2.AsyncClient() as client,
    ):
        phone = f"http://127.0.0.1:{port}"
        outside = Outside(
            clock=clock, client=client, new_token=lambda: next(tokens), limiter=Unlimited(), loopback_only=True
        )
        settings = _settings(world, phone, f"http://127.0.0.1:{bot_port}", folder)
        async with open_bot(settings, Rules(book), outside) as bot:
            opened.append(bot)
            world.callback_to(f"http://127.0.0.1:{bot_port}/callback", client)
            yield Stage(world, bot, clock, console, pause, phone)


def _settings(world: World, api_base: str, public_url: str, folder: Path) -> Settings:
    return Settings.explicit(
        wecom_corp_id=world.corp_id,
        wecom_agent_id=world.agent_id,
        wecom_secret=world.secret,
        wecom_callback_token="simulatedtoken",  # noqa: S106 - the simulator's, and known to all
        wecom_callback_aes_key=AES_KEY,
        wecom_api_base=api_base,
        steward_public_url=public_url,
        steward_secret_key="a key that signs nothing real",  # noqa: S106 - as it says
        database_url=f"sqlite:///{folder}/demo.db",
    )


async def morning(stage: Stage) -> None:
    """The story: who comes, what the bot asks, and what people do about it."""
    world = stage.world
    world.add_staff("lihua", "李华")
    world.add_staff("wangwu", "王五").does("removes_and_presses", after=timedelta(seconds=40))
    world.add_staff("zhaoliu", "赵六").does("removes_without_pressing", ignores_first=1, after=timedelta(minutes=2))
    world.add_staff("sunqi", "孙七").does("ignores")
    regulars = [world.add_customer(name) for name in ("林小满", "陈阿姨", "周先生", "吴姐", "郑老师", "何小姐")]
    tea = world.create_group("静安茶友1群", owner="wangwu", members=regulars[:3])
    wine = world.create_group("静安品鉴2群", owner="zhaoliu", members=regulars[2:])
    xuhui = world.create_group("徐汇会员群", owner="sunqi", members=regulars[:2])

    await stage.scene("一、群管家上岗：验证回调地址，读一遍名单")
    if not await world.verify_url():
        raise RuntimeError("the bot did not answer the verification of its callback address")
    await stage.bot.read_roster("start")
    await stage.run(timedelta(minutes=5))

    await stage.scene("二、两位顾客在同一秒扫码进群：是微信用户，谁也不打扰")
    world.join(tea, world.add_customer("杨柳"))
    world.join(tea, world.add_customer("徐大爷"))
    await stage.run(timedelta(minutes=5))

    await stage.scene("三、对手公司的人走进群里：几秒内群主收到卡片；移出以后，名单说了才算")
    await _enters(stage, tea.chat_id, world.add_rival("张三", "对手茶业有限公司"))
    await stage.run(timedelta(minutes=5))

    await stage.scene("四、两个一起来，合成一张卡片；群主忘了，十分钟后提醒一次；他移出后没按按钮，一样结案")
    first, second = world.add_rival("钱多多", "对手酒业有限公司"), world.add_rival("孙小美", "对手酒业有限公司")
    world.join(wine, first)
    await _enters(stage, wine.chat_id, second)
    await stage.run(timedelta(minutes=15))

    await stage.scene("五、合作伙伴的人（在允许名单里，同事加过好友）：放过")
    partner = world.add_rival("刘经理", "合作伙伴有限公司")
    world.make_contact("wangwu", partner)
    await stage.run(timedelta(minutes=1))
    world.join(tea, partner)
    await stage.run(timedelta(minutes=5))

    await stage.scene("六、认错了：群主按「误判，放行」，以后不再问这个人")
    world.staff["wangwu"].does("says_mistake", after=timedelta(seconds=30))
    friend = world.add_rival("老同学阿亮", "隔壁花店")
    await _enters(stage, tea.chat_id, friend)
    await stage.run(timedelta(minutes=5))
    world.leave(tea, friend)
    world.join(tea, friend)
    await stage.run(timedelta(minutes=5))

    await stage.scene("七、没人理的卡片：提醒一次，一小时后告诉负责人李华；她打了个电话，事情办了")
    pushy = world.add_rival("周卖货", "对手茶业有限公司")
    await _enters(stage, xuhui.chat_id, pushy)
    await stage.run(timedelta(minutes=70))
    world.remove(xuhui, pushy, by="sunqi")
    await stage.run(timedelta(minutes=5))


async def _enters(stage: Stage, chat_id: str, rival: Customer) -> None:
    """Somebody enters; note how long it takes until a card about them is there."""
    at, before = stage.clock.now(), len(stage.world.sent)
    stage.world.join(chat_id, rival)
    await stage.run(timedelta(seconds=30))
    cards = [each for each in stage.world.sent[before:] if each.kind == "card"]
    stage.asked.append((rival.name, cards[0].at - at if cards else NEVER))


async def check_promises(stage: Stage) -> list[Kept]:
    """What the bot is held to, looked at from outside: the world's truth against the bot's tables."""
    world, bot = stage.world, stage.bot
    async with bot.store.read() as tx:
        worked = await inbox.finished_callbacks(tx)
        rosters = {
            group.chat_id: frozenset(await roster.present(tx, group.chat_id)) for group in await roster.groups(tx)
        }
    truth = {chat_id: world.group_now(chat_id).external_ids for chat_id in world.groups}
    deliveries, once = len(world.acknowledged), len({each.xml for each in world.acknowledged})
    cards = [each for each in world.sent if (each.task_id or "").startswith("removal")]
    per_task = Counter((each.userid, each.task_id) for each in cards)
    named = {person.name for person in world.customers.values() for card in cards if person.name in card.text}
    rivals = {
        person.name for person in world.customers.values() if person.type == 2 and person.company != "合作伙伴有限公司"
    }
    open_cards = [
        each for userid in world.staff for each in world.inbox(userid) if each.kind == "card" and each.buttons
    ]
    slowest = max((span for _, span in stage.asked), default=NEVER)
    how_fast = "有人进来，谁也没有收到卡片" if slowest == NEVER else f"最慢 {slowest.total_seconds():.0f} 秒"
    return [
        Kept("应答过的回调，一个不漏都办了", worked == once, f"收到 {once} 个，办完 {worked} 个"),
        Kept(
            "同一个回调送来几次，只生效一次",
            max(per_task.values(), default=0) == 1 and deliveries > once,
            f"送来 {deliveries} 次，其实是 {once} 个；卡片 {len(cards)} 张，没有重复的",
        ),
        Kept("外人进群，几秒内有人收到卡片", slowest <= timedelta(seconds=5), how_fast),
        Kept(
            "只请移出外人：顾客、同事、允许的公司都不打扰",
            bool(named) and named <= rivals,
            f"请移出的是：{'、'.join(sorted(named))}",
        ),
        Kept("只凭名单结案，办完的卡片都收起了按钮", not open_cards, f"还开着按钮的卡片：{len(open_cards)} 张"),
        Kept(
            "机器人的名单与企业微信一致",
            rosters == truth,
            f"{len(truth)} 个群，{sum(map(len, truth.values()))} 位群成员",
        ),
    ]


def _table(kept: list[Kept]) -> Table:
    table = Table(title="答应的，和做到的", title_style="bold")
    for heading in ("答应的", "", "看到的"):
        table.add_column(heading, overflow="fold")
    for each in kept:
        table.add_row(each.promise, "[green]做到[/]" if each.kept else "[bold red]没做到[/]", each.seen)
    return table


async def _stay(stage: Stage) -> None:
    stage.console.print(
        f"\n演示留着不关：打开 {stage.phone}/phone 扮演任何人，按 Ctrl+C 结束。时钟从现在起和真的一样走。"
    )
    while True:
        stage.clock.advance(timedelta(milliseconds=200))
        await stage.settle()
        await asyncio.sleep(0.2)

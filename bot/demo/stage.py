"""Where the demo is played: the world, the bot, one clock for both, and somebody who tells what happens."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table

from bot.step import settle
from bot.wiring import Bot
from rules.clock import BEIJING
from rules.decision import Decision
from rules.removal import OUTCOMES
from simulator import VirtualClock, World
from store import removal, trace

OPENS_AT = datetime(2026, 11, 23, 9, 0, tzinfo=BEIJING)

STRIDE = timedelta(hours=5)

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Kept:
    """One promise, whether it was kept, and what was seen."""

    promise: str
    kept: bool
    seen: str


@dataclass
class Stage:
    """The world, the bot, one clock for both, and somebody who tells what happens. `phone`, `shop`: where the simulator
    and the bot answer. `asked`: how long until somebody was asked about whom; `entered`: who saw what at a door.
    `only`: tell what has one of these words, nothing else.
    """

    world: World
    bot: Bot
    clock: VirtualClock
    console: Console
    pause: Pause
    phone: str
    shop: str
    asked: list[tuple[str, timedelta]] = field(default_factory=list)
    entered: list[tuple[str, str]] = field(default_factory=list)
    only: tuple[str, ...] = ()
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

    async def leap(self, to: datetime) -> None:
        """Let time pass in strides: whatever was due on the way is done at the end of each."""
        while (left := to - self.clock.now()) > timedelta(0):
            self.clock.advance(min(STRIDE, left))
            await self.settle()

    async def scene(self, title: str) -> None:
        """Say what comes next."""
        await self._tell()
        self.console.print(f"\n[bold]{title}[/bold]")
        await self.pause(2)

    async def say(self, who: str, what: str) -> None:
        """Something that neither the world nor the bot tells."""
        await self._tell()
        self.console.print(row(self.clock.now(), f"[cyan]{who}[/] {what}"), highlight=False)
        await self.pause(1)

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
        if self.only:
            lines = [(at, line) for at, line in lines if any(word in line for word in self.only)]
        for at, line in sorted(lines, key=lambda each: each[0]):
            self.console.print(row(at, line), highlight=False)
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


def row(at: datetime, line: str) -> Table:
    """The time, and beside it the line, which may be long."""
    row = Table.grid(padding=(0, 1))
    row.add_column(style="dim", no_wrap=True)
    row.add_column(overflow="fold")
    row.add_row(f"{at.astimezone(BEIJING):%H:%M:%S}", line)
    return row


def _worth_telling(decisions: Sequence[Decision]) -> Iterator[Decision]:
    """Whatever a rule found; of the many that found nothing, whether somebody is one of us or of another company. Not
    what doors said: the story tells of it.
    """
    rules = (each for each in decisions if not each.rule.startswith("entrance:"))
    yield from (each for each in rules if each.verdict != "miss" or each.rule == "other_company")


BOT = "[magenta]群管家[/]"
_VERDICTS = {"hit": "[red]命中[/]", "miss": "[green]放过[/]", "unknown": "[yellow]存疑[/]"}
_KINDS = {"card": "卡片", "text": "消息"}

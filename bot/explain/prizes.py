"""What somebody has to do with draws, for `steward explain`: where they took part, what they won, what became of it."""

from pydantic import AwareDatetime
from rich.console import Console
from rich.text import Text

from bot import say
from handlers.draw_facts import settings_of
from rules.money import say_money
from rules.payout_report import STATES, WAYS
from rules.payout_words import say_code
from rules.value import Value
from store import person_prizes, whose
from store.database import Tx
from store.payouts import PayoutRow
from store.person_prizes import Entry, Win

SHOWN = 20
WON = {"won": "还没有领", "claimed": "领了，正在发", "paid": "已到手", "lapsed": "过期没领", "dropped": "已给候补"}


class Entered(Value):
    """A draw that they took part in. `out`: why they were taken off the list."""

    at: AwareDatetime
    draw: str
    title: str
    out: str


class Won(Value):
    """A prize. `prize`: its name; `amount`: fen, 0 for a coupon. `because`: why it is not theirs any more."""

    at: AwareDatetime
    draw: str
    title: str
    prize: str
    amount: int
    state: str
    because: str


class Paid(Value):
    """One attempt to pay. `number`: the provider's, or the coupon's code. `amount`: fen. `why`: the last code."""

    at: AwareDatetime
    draw: str
    way: str
    number: str
    amount: int
    what: str
    state: str
    why: str
    next_at: AwareDatetime | None


class Prizes(Value):
    """The newest SHOWN of each."""

    entered: tuple[Entered, ...]
    won: tuple[Won, ...]
    paid: tuple[Paid, ...]


async def of_person(tx: Tx, external_userid: str, visitor_id: int | None) -> Prizes | None:
    """None, where they have nothing to do with draws. `visitor_id`: who they are on our pages."""
    visitors = await whose.numbers_of(tx, visitor_id) if visitor_id is not None else ()
    people = [external_userid, *(f"v{number}" for number in visitors)]
    entries = await person_prizes.entries(tx, people, visitors, newest=SHOWN)
    wins = await person_prizes.wins(tx, people, visitors, newest=SHOWN)
    payouts = await person_prizes.payouts(tx, people, newest=SHOWN)
    if not entries and not wins and not payouts:
        return None
    return Prizes(
        entered=tuple(_entered(each) for each in entries),
        won=tuple(_won(each) for each in wins),
        paid=tuple(_paid(row) for row in payouts),
    )


def _entered(entry: Entry) -> Entered:
    return Entered(at=entry.at, draw=entry.draw.key, title=settings_of(entry.draw).title, out=entry.out)


def _won(win: Win) -> Won:
    draw, winner = settings_of(win.draw), win.winner
    prize = draw.prize[winner.prize]
    return Won(
        at=winner.won_at,
        draw=win.draw.key,
        title=draw.title,
        prize=prize.name or prize.what,
        amount=winner.amount,
        state=winner.state,
        because=winner.because,
    )


def _paid(row: PayoutRow) -> Paid:
    return Paid(
        at=row.sent_at or row.planned_at,
        draw=row.draw,
        way=row.way,
        number=row.code or row.number,
        amount=row.amount,
        what=row.what,
        state=row.state,
        why=row.why,
        next_at=row.due_at,
    )


def show(console: Console, prizes: Prizes) -> None:
    """Where they took part, what they won, what was paid."""
    if prizes.entered:
        say.title(console, f"参加的抽奖（最近 {len(prizes.entered)} 次）")
        say.rows(console, [(_at(each.at), f"{each.title}{_out(each.out)}") for each in prizes.entered])
    if prizes.won:
        say.title(console, "中的奖")
        say.rows(console, [(_at(each.at), _say_won(each)) for each in prizes.won])
    if prizes.paid:
        say.title(console, "发的奖（发不出去时每次换一个单号）")
        say.rows(console, [(_at(each.at), _say_paid(each)) for each in prizes.paid])


def _at(moment: AwareDatetime) -> Text:
    return Text(say.at(moment), style="dim")


def _out(because: str) -> str:
    return f"，没有算数：{because}" if because else ""


def _say_won(won: Won) -> str:
    worth = " ".join(part for part in (won.prize, say_money(won.amount) if won.amount else "") if part)
    because = f"（{won.because}）" if won.because else ""
    return f"{won.title}：{worth}，{WON.get(won.state, won.state)}{because}"


def _say_paid(paid: Paid) -> str:
    worth = say_money(paid.amount) if paid.amount else paid.what
    why = f"（{say_code(paid.why)}）" if paid.why and paid.state not in ("sent", "received", "refunded") else ""
    again = f"，{say.at(paid.next_at)} 再看" if paid.next_at and paid.state not in ("received", "refunded") else ""
    return (
        f"{WAYS.get(paid.way, paid.way)} {worth}，{STATES.get(paid.state, paid.state)}{why}{again}，单号 {paid.number}"
    )

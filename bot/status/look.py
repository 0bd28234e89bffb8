"""`steward status`: how the bot is doing, from its database alone: the backlog, what was given up, open cases, calls.

Dead letters have ids that name their queue: `in12` is an event that could not be worked on, `out7` a deed.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from bot.measure import LANES
from bot.status import draws
from bot.status.draws import DrawOn
from rules.value import Value
from store import api_calls, configs, history, inbox, payouts, queue, removal
from store.database import Tx
from store.inbox import Inbox
from store.outbox import Outbox
from store.queue import QueueRow
from store.removal import CaseRow
from wecom.callbacks import read_event
from wecom.xml import BadXml

DEAD_SHOWN = 50
A_DAY = timedelta(days=1)
PER_HOUR = 150_000
"""Calls of one API within an hour that the platform allows a corp (page 90454)."""

ANSWERS = {("externalcontact/get", 84061)}
"""Errcodes that are no errors: nobody has added this person, as is usual for those who are only in a group."""

QUEUES: dict[str, type[QueueRow]] = {"in": Inbox, "out": Outbox}


class Lane(Value):
    """One lane of one queue. `due_at`: when its first row is, or was, due."""

    queue: str
    lane: str
    rows: int
    due_at: AwareDatetime


class DeadLetter(Value):
    """`kind`: the event's or the deed's; `about`: the group, person or case, as far as it says."""

    id: str
    kind: str
    about: str
    given_up_at: AwareDatetime | None
    attempts: int
    error: str


class OpenCase(Value):
    """`step`: what comes next, at `step_due_at`; "" where only the roster is watched."""

    number: int
    chat_id: str
    group: str
    external_userid: str
    person: str
    opened_at: AwareDatetime
    step: str
    step_due_at: AwareDatetime | None


class Calls(Value):
    """How often one endpoint was called; `failed`: errcode → how often, within the last day, where it is an error."""

    endpoint: str
    this_hour: int
    last_day: int
    failed: dict[str, int]


class Payout(Value):
    """A payout of which nobody knows whether the money went, or that managers have to look at. `amount`: fen."""

    number: str
    person: str
    amount: int
    why: str
    since: AwareDatetime
    shown: bool


class Status(Value):
    """`config`: the hash of the one in force, since `config_since`. `dead_letters`: DEAD_SHOWN of `dead` at most."""

    at: AwareDatetime
    config: str
    config_since: AwareDatetime | None
    last_callback_at: AwareDatetime | None
    backlog: tuple[Lane, ...]
    dead: int
    dead_letters: tuple[DeadLetter, ...]
    open_cases: tuple[OpenCase, ...]
    draws: tuple[DrawOn, ...] = ()
    payouts_paused: str = ""
    payouts: tuple[Payout, ...] = ()
    calls: tuple[Calls, ...]


async def look(tx: Tx, now: datetime) -> Status:
    """How things stand."""
    depths = [(name, depth) for name, table in QUEUES.items() for depth in await queue.counts(tx, table)]
    config = await configs.newest(tx)
    letters = [_letter(name, row) for name, table in QUEUES.items() for row in await _dead(tx, table)]
    return Status(
        at=now,
        config=config.hash if config else "",
        config_since=config.activated_at if config else None,
        last_callback_at=await inbox.last_callback(tx),
        backlog=tuple(
            Lane(queue=name, lane=LANES.get(each.lane, str(each.lane)), rows=each.rows, due_at=each.oldest_due_at)
            for name, each in depths
            if each.state == "open"
        ),
        dead=sum(each.rows for _, each in depths if each.state == "dead"),
        dead_letters=tuple(sorted(letters, key=lambda letter: letter.given_up_at or now, reverse=True)[:DEAD_SHOWN]),
        open_cases=tuple([await _open_case(tx, case) for case in await removal.open_cases(tx)]),
        draws=await draws.look(tx),
        payouts_paused=pause.code if (pause := await payouts.paused(tx)) else "",
        payouts=tuple(_payout(row) for row in await payouts.unresolved(tx)),
        calls=_calls(await api_calls.since(tx, now - A_DAY), now),
    )


async def _dead(tx: Tx, table: type[QueueRow]) -> Sequence[QueueRow]:
    return await queue.dead(tx, table, at_most=DEAD_SHOWN)


def _letter(name: str, row: QueueRow) -> DeadLetter:
    kind, about = _of_event(row) if isinstance(row, Inbox) else _of_deed(row)
    return DeadLetter(
        id=f"{name}{row.id}",
        kind=kind,
        about=about,
        given_up_at=row.finished_at,
        attempts=row.attempts,
        error=row.last_error or "",
    )


def _of_event(row: Inbox) -> tuple[str, str]:
    try:
        event = read_event(row.payload.encode()) if row.source == "callback" else inbox.event_of(row)
    except (BadXml, ValueError):
        return "unreadable", row.ordering_key or ""
    return event.kind, row.ordering_key or ""


def _of_deed(row: QueueRow) -> tuple[str, str]:
    return (row.kind, row.about or "") if isinstance(row, Outbox) else ("", "")


async def _open_case(tx: Tx, case: CaseRow) -> OpenCase:
    group, person = await history.names_of(tx, case)
    return OpenCase(
        number=case.number,
        chat_id=case.chat_id,
        group=group,
        external_userid=case.external_userid,
        person=person,
        opened_at=case.opened_at,
        step=case.step or "",
        step_due_at=case.step_due_at,
    )


def _payout(row: payouts.PayoutRow) -> Payout:
    return Payout(
        number=row.number, person=row.person, amount=row.amount, why=row.why, since=row.since, shown=row.shown
    )


def _calls(rows: list[api_calls.ApiCallsRow], now: datetime) -> tuple[Calls, ...]:
    hour = now.replace(minute=0, second=0, microsecond=0)
    found = []
    for endpoint in sorted({row.endpoint for row in rows}):
        mine = [row for row in rows if row.endpoint == endpoint]
        failed: dict[str, int] = {}
        for row in mine:
            if row.errcode and (endpoint, row.errcode) not in ANSWERS:
                failed[str(row.errcode)] = failed.get(str(row.errcode), 0) + row.calls
        this_hour = sum(row.calls for row in mine if row.hour == hour)
        found.append(
            Calls(endpoint=endpoint, this_hour=this_hour, last_day=sum(row.calls for row in mine), failed=failed)
        )
    return tuple(found)


# --- dead letters: again, or never ------------------------------------------------------------------------------------


class NoSuchLetterError(Exception):
    """What was typed names no dead letter. The text is Chinese."""


async def retry(tx: Tx, which: str, now: datetime) -> list[str]:
    """Try a dead letter ("in12", "out7", or "all") again, from now on. Answers which. Raises NoSuchLetterError."""
    return await _change(tx, which, now)


async def drop(tx: Tx, which: str) -> list[str]:
    """Let a dead letter be, or "all". Answers which. Raises NoSuchLetterError."""
    return await _change(tx, which, None)


async def _change(tx: Tx, which: str, again_at: datetime | None) -> list[str]:
    changed = []
    for name, table in QUEUES.items():
        ids = [row.id for row in await queue.dead(tx, table, at_most=10_000)] if which == "all" else _id(which, name)
        done = await queue.revive(tx, table, ids, now=again_at) if again_at else await queue.drop(tx, table, ids)
        changed += [f"{name}{row_id}" for row_id in done]
    if not changed and which != "all":
        raise NoSuchLetterError(
            f"没有 {which} 这件办不成的事。编号在 steward status 的表里，例如 in12、out7，或写 all。"
        )
    return changed


def _id(which: str, name: str) -> list[int]:
    found = re.fullmatch(rf"{name}(\d{{1,18}})", which)
    return [int(found[1])] if found else []

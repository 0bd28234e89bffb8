"""A customer reported a member of their group: the rules are asked how many did so, and what follows.

`take` is for the page, which tells the customer only that it has arrived; the rules are asked afterwards, by the
worker, so that what they say is in the trace.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from handlers import verdicts
from rules.book import Book
from rules.decision import Decision
from rules.events import MemberReported
from rules.facts import ReportFacts
from rules.lanes import NORMAL
from rules.report import MOST_A_DAY, MOST_A_DAY_OF_A_PLACE, REASONS, WAVE, counted
from store import inbox, people, removal, reports, roster
from store.database import Database, Tx
from store.reports import ReportRow
from store.roster import GroupRow
from wecom.gateway import Gateway

Taken = Literal["taken", "known", "too_many"]


async def take(tx: Tx, event: MemberReported, *, words: str, place: str, now: datetime) -> Taken:
    """Write a report down, within what one browser and one address may report a day, and have it worked on."""
    if (
        await reports.of_browser(tx, event.reporter, now=now) >= MOST_A_DAY
        or await reports.of_place(tx, place, now=now) >= MOST_A_DAY_OF_A_PLACE
    ):
        return "too_many"
    new = await reports.put(
        tx,
        chat_id=event.chat_id,
        reporter=event.reporter,
        reported=event.external_userid,
        place=place,
        reason=event.reason,
        words=words,
        now=now,
    )
    if not new:
        return "known"
    key = f"report:{event.chat_id}:{event.reporter}:{event.external_userid}:{now.isoformat()}"
    await inbox.put(
        tx,
        source="page",
        key=key,
        event=event,
        lane=NORMAL,
        ordering_key=f"group:{event.chat_id}",
        due_at=now,
        now=now,
    )
    return "taken"


async def look_up(event: MemberReported, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform: it shows nobody adding anybody."""


async def handle(event: MemberReported, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Ask the rules. One wave of reports is one offence, however many come."""
    rules = book.about(MemberReported)
    group = await roster.group(tx, event.chat_id)
    began = await reports.wave(tx, event.chat_id, event.external_userid, now=now)
    if group is None or began is None or not rules:
        return []
    who = event.external_userid
    member = await roster.member(tx, event.chat_id, who)
    wave = counted(await reports.in_wave(tx, event.chat_id, who, began))
    known = await _facts(tx, group, who, wave)
    offence = f"reports {event.chat_id} {began.isoformat()}"
    answers = await verdicts.ask(tx, rules, event, known, offence, now=now)
    done = await removal.told_since(tx, event.chat_id, who, began)
    answers = [_once(each) if each.rule in done else each for each in answers]
    # A first report of a new wave is a miss, and takes nothing back of what an earlier wave led to.
    hits = [each for each in answers if each.verdict == "hit"]
    if hits:
        await verdicts.carry_out_about(tx, book, group, member, who, hits, now=now)
    return answers


async def _facts(tx: Tx, group: GroupRow, who: str, wave: Sequence[ReportRow]) -> ReportFacts:
    person = await people.person(tx, who)
    company = person.company if person else ""
    released = await people.released(tx, [who], [company] if company else [])
    return ReportFacts(
        group=group.facts(),
        subject=who,
        released=released.of(who, company),
        reporters=len(wave),
        reasons=Counter(REASONS.get(row.reason, row.reason) for row in wave),
        words=tuple(row.words for row in wave if row.words),
    )


def _once(answer: Decision) -> Decision:
    """What a wave led to has been done: one more report of it bothers nobody again."""
    if answer.came_to != "warn":
        return answer
    because = f"{answer.because}（{WAVE.days} 天内已经提醒过）"
    return answer.model_copy(update={"came_to": "repeat", "because": because, "actions": ()})

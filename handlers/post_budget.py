"""How the groups of a post are shared out over the ways it can go, now that it goes out: rules/sends.py decides.

It is told what each group has had in its month (or week, or day), from us and from staff themselves, and what the
calendar still wants of it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple

from handlers.calendar import post_group
from rules.book import Book
from rules.content import MOST_BYTES, Content, ContentError
from rules.draw_outlook import announcements
from rules.post_plan import Fire, plan, render
from rules.schedule import moment_of
from rules.sends import Slot, Spent, Verdict, Way, allowance, day_of, news_slots, period_of, share_out, slot_of
from store import own_sends, posts, sends
from store.database import Tx
from store.posts import PostRow
from store.roster import GroupRow
from store.sends import SendRow

NOTICE = "notice"
"""The key of what is no post, where it is weighed beside posts."""


class Share(NamedTuple):
    """What becomes of a post in one group. `merged`: key → what is said together with it; `riders`: what else waits to
    be said with it, and is sent by hand where it is not.
    """

    way: Way
    because: str = ""
    into: str = ""
    merged: Mapping[str, Content] = {}
    riders: tuple[SendRow, ...] = ()


Said = Mapping[str, tuple[GroupRow, Content]]
"""chat_id → the group, and what it is to read."""


async def share(tx: Tx, book: Book, row: PostRow, said: Said, *, now: datetime) -> dict[str, Share]:
    """A share for every group."""
    settings = book.post(row.name)
    if settings is None:
        return {}
    if settings.via == "by_hand":
        return {chat_id: Share("by_hand") for chat_id in said}
    groups = [group for group, _ in said.values()]
    slots, contents = await _to_come(tx, book, groups, row.say_at, but=row.key, now=now)
    for chat_id, (_, mine) in said.items():
        slots[chat_id].append(slot_of(settings, row.key, row.say_at, chat_id, mine))
    spent = await _spent(tx, book, row.say_at, list(said))
    found = {chat_id: Share("task") for chat_id in said}
    first, _ = period_of(book.posting.sends, day_of(row.say_at))
    most = allowance(book.posting.sends, day_of(row.say_at))
    for chat_id in said:
        of_group = slots[chat_id]
        if len(of_group) + spent[chat_id, first] > most:
            found[chat_id] = _judged(row, share_out(of_group, spent, book.posting.sends), contents)
    for merge in await posts.merged_into(tx, row.key):
        content = contents.get((merge.post_key, merge.chat_id))
        if content is not None and merge.chat_id in found:
            share_ = found[merge.chat_id]
            found[merge.chat_id] = share_._replace(merged={**share_.merged, merge.post_key: content})
    for rider in await sends.riding_on(tx, row.key):
        for chat_id in [each for each in rider.targets if each in found]:
            share_ = found[chat_id]
            found[chat_id] = share_._replace(riders=(*share_.riders, rider))
    return found


async def share_notice(
    tx: Tx, book: Book, groups: Sequence[GroupRow], title: str, content: Content, *, now: datetime
) -> dict[str, Verdict]:
    """A verdict for every group about something else that is to be said at this moment, beside what the calendar still
    wants: a task, merged into a post of today, or by hand.
    """
    slots, _ = await _to_come(tx, book, groups, now, but="", now=now)
    spent = await _spent(tx, book, now, list(slots))
    first, _ = period_of(book.posting.sends, day_of(now))
    most, size = allowance(book.posting.sends, day_of(now)), len(content.text.encode())
    found = dict[str, Verdict]()
    for chat_id, of_group in slots.items():
        mine = Slot(NOTICE, title, now, chat_id, size=size, attachments=len(content.attachments))
        found[chat_id] = Verdict(mine, "task", "")
        if len(of_group) + 1 + spent[chat_id, first] > most:
            verdicts = share_out([*of_group, mine], spent, book.posting.sends)
            found[chat_id] = next(each for each in verdicts if each.slot.key == NOTICE)
    return found


def _judged(row: PostRow, verdicts: Sequence[Verdict], contents: Mapping[tuple[str, str], Content]) -> Share:
    mine = next(each for each in verdicts if each.slot.key == row.key)
    merged = {
        each.slot.key: contents[each.slot.key, each.slot.chat_id]
        for each in verdicts
        if each.into == row.key and (each.slot.key, each.slot.chat_id) in contents
    }
    return Share(mine.way, mine.because, mine.into, merged)


async def _to_come(
    tx: Tx, book: Book, groups: Sequence[GroupRow], at_: datetime, *, but: str, now: datetime
) -> tuple[dict[str, list[Slot]], dict[tuple[str, str], Content]]:
    """What the calendar and draws still want of each group in the period of `at_`, but for one post; and what those of
    its day would say there: only those could be one with another.
    """
    day, by_id = day_of(at_), {group.chat_id: group for group in groups}
    midnight, (_, last) = moment_of(day, time.min), period_of(book.posting.sends, day)
    end = moment_of(last + timedelta(days=1), time.min)
    known_as = [post_group(group) for group in groups]
    fires = plan(book, known_as, midnight - timedelta(seconds=1), end - timedelta(seconds=1)).fires
    known = await posts.of_keys(tx, [each.key for each in fires])
    gone = await posts.left_out(tx, [each.key for each in fires])
    out = {(each.post_key, each.chat_id) for each in gone}
    slots: dict[str, list[Slot]] = {chat_id: [] for chat_id in by_id}
    contents: dict[tuple[str, str], Content] = {}
    for fire in fires:
        other, settings = known.get(fire.key), book.post(fire.post)
        at = other.say_at if other else fire.at
        if settings is None or settings.via == "by_hand" or fire.key == but:
            continue
        to_come = other.state == "planned" if other else at > now
        for chat_id in fire.chat_ids:
            content = _other(book, fire, by_id[chat_id]) if day_of(at) == day else None
            if content is not None:
                contents[fire.key, chat_id] = content
            if to_come and (fire.key, chat_id) not in out:
                slot = slot_of(settings, fire.key, at, chat_id, content)
                slots[chat_id].append(slot if content else slot._replace(size=MOST_BYTES))
    for news in announcements(book, known_as, now, end - timedelta(seconds=1)):
        for slot in news_slots(news):
            slots[slot.chat_id].append(slot)
    return slots, contents


def _other(book: Book, fire: Fire, group: GroupRow) -> Content | None:
    settings = book.post(fire.post)
    try:
        return render(settings, group.facts(), fire, book) if settings else None
    except ContentError:
        return None


async def _spent(tx: Tx, book: Book, at: datetime, chat_ids: list[str]) -> Spent:
    """What each group has had of the period of `at`, or is about to get."""
    first, last = period_of(book.posting.sends, day_of(at))
    begin, end = moment_of(first, time.min), moment_of(last + timedelta(days=1), time.min)
    ours = await sends.counted(tx, begin, end)
    theirs = await own_sends.since(tx, begin, chat_ids)
    return {(each, first): ours.get(each, 0) + theirs.get(each, 0) for each in chat_ids}

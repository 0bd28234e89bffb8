"""The end of a journey: tags that stay, one invitation on, and who may make room for newcomers."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from handlers import checkin_sends, matters
from handlers.journeys import kinds_of
from rules.book import Book
from rules.checkin_days import date_of
from rules.checkins import Checkin
from rules.content import Attachment
from rules.graduation import (
    Leaver,
    entrance_for,
    say_dropped,
    say_graduated,
    say_invitation,
    say_leavers,
    tags_from,
)
from rules.streak import Tally, theme_of
from rules.value import Value
from store import doors, draw_entrants, draws, identities, leading, own_tags, roster
from store import matters as matter_rows
from store.checkins import DayRow, JourneyRow
from store.database import Tx
from store.leading import GraduationRow, Way


class Invitation(Value):
    """Where somebody is invited to: an entrance, or "" where they are not. `words`: the farewell. `inside`: they are in
    such a group already.
    """

    entrance: str
    words: str
    inside: bool


async def keep_tags(tx: Tx, checkin: Checkin, row: JourneyRow, days: Sequence[DayRow], *, now: datetime) -> None:
    """What they chose sets tags, whether or not they go all the way."""
    kinds = kinds_of(days)
    answers = {theme_of(checkin, row.started_on, kinds, day.on): day.answer for day in days if day.answer}
    tags = tags_from(checkin, answers)
    has = (await own_tags.of_visitors(tx, [row.visitor_id])).get(row.visitor_id, []) if tags else []
    for tag in tags.keys() - set(has):
        await own_tags.give(tx, row.visitor_id, tag, why=tags[tag], now=now)


async def graduate(
    tx: Tx, book: Book, checkin: Checkin, row: JourneyRow, state: Tally, external_userid: str | None, *, now: datetime
) -> None:
    """They have done it: once, whatever is worked on twice."""
    row.state, row.because, row.ended_at = "graduated", say_graduated(checkin, state.reached), now
    if checkin.graduate_tag:
        why = f"「{checkin.title}」：{row.because}"
        await own_tags.give(tx, row.visitor_id, checkin.graduate_tag, why=why, now=now)
    if await leading.graduation(tx, row.id) is None:
        tx.add(await _invite(tx, book, checkin, row, external_userid, now=now))
    await tx.flush()


async def _invite(
    tx: Tx, book: Book, checkin: Checkin, row: JourneyRow, external_userid: str | None, *, now: datetime
) -> GraduationRow:
    """On to the group that fits: by a colleague 1:1 where one has added them, else by the page alone."""
    tags = (await own_tags.of_visitors(tx, [row.visitor_id])).get(row.visitor_id, [])
    entrance = entrance_for(checkin, tags)
    found = GraduationRow(journey_id=row.id, checkin=checkin.name, entrance=entrance, way="page", at=now)
    if not entrance:
        found.way = _way("nowhere")
    elif external_userid and await _is_inside(tx, book, entrance, external_userid):
        found.way = _way("inside")
    elif sender := await checkin_sends.sender_for(tx, external_userid, row.chat_id):
        house = await draws.house(tx)
        card = Attachment(
            kind="link",
            url=f"{house.public if house else ''}/e/{entrance}?from=checkin",
            title="进入会员群",
            description=checkin.title,
        )
        found.way = _way("send")
        found.send_key = await checkin_sends.say(
            tx,
            checkin,
            f"checkin-invite:{entrance}",
            sender=sender,
            to=external_userid or "",
            on=date_of(now),
            title=f"「{checkin.title}」毕业邀请",
            text=say_invitation(checkin),
            cards=[card],
            now=now,
        )
    return found


def _way(way: Way) -> Way:
    return way


async def _is_inside(tx: Tx, book: Book, entrance: str, external_userid: str) -> bool:
    settings = book.entrance(entrance)
    kinds = {target.kind for target in settings.targets} if settings else set()
    return any(group.kind in kinds for group in await doors.inside(tx, external_userid))


async def invitation(tx: Tx, book: Book, checkin: Checkin, row: JourneyRow) -> Invitation | None:
    """What the page of somebody who has graduated shows; None: they have not."""
    found = await leading.graduation(tx, row.id)
    if found is None:
        return None
    external_userid = await identities.external_of(tx, row.visitor_id)
    inside = bool(external_userid) and await _is_inside(tx, book, found.entrance, external_userid or "")
    return Invitation(entrance=found.entrance, words=say_invitation(checkin), inside=inside)


async def drop(
    tx: Tx, row: JourneyRow, state: Tally, days: Sequence[DayRow], external_userid: str | None, *, now: datetime
) -> None:
    """There is nothing left that they could do: it is over, with the reason."""
    inside = external_userid is None or any(
        group.chat_id == row.chat_id for group, _ in await roster.groups_of(tx, external_userid)
    )
    last = max((day.at for day in days), default=None)
    row.state, row.ended_at = "dropped", now
    row.because = say_dropped(state.counted, last, inside=inside or not row.chat_id)


# --- making room ------------------------------------------------------------------------------------------------------


async def may_leave(tx: Tx, checkin: Checkin, chat_id: str) -> list[Leaver]:
    """Who is in this group though their journey is over, the earliest first."""
    group = await roster.group(tx, chat_id)
    if group is None or group.dismissed_at is not None:
        return []
    ended = await leading.ended_in(tx, checkin.name, chat_id)
    known_as = {each.visitor_id: await identities.external_of(tx, each.visitor_id) for each in ended}
    inside = await roster.inside(tx, chat_id)
    ids = [who for who in known_as.values() if who and who in inside]
    names: dict[str, str] = {}
    for first in range(0, len(ids), 500):
        names |= await draw_entrants.names_of(tx, ids[first : first + 500])
    return [
        Leaver(
            chat_id=chat_id,
            group=group.name,
            external_userid=who,
            name=names.get(who, ""),
            graduated=each.state == "graduated",
            because=each.because,
            since=each.ended_at,
        )
        for each in ended
        if (who := known_as[each.visitor_id]) and who in ids
    ]


async def tell_of_leavers(tx: Tx, book: Book, checkin: Checkin, chat_ids: Iterable[str], *, now: datetime) -> None:
    """The owners of these groups have it in their daily list who may be asked to make room."""
    for chat_id in sorted(set(chat_ids)):
        group, key = await roster.group(tx, chat_id), f"checkin-leavers:{checkin.name}:{chat_id}"
        found = await may_leave(tx, checkin, chat_id)
        if group is None or not found:
            await matter_rows.settle(tx, key, outcome="settled", now=now)
            continue
        title, text = say_leavers(checkin, group.name, found)
        await matters.raise_one(tx, book, key, audience="owner", group=group, title=title, text=text, now=now)

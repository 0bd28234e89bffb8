"""`steward explain`: what is known of a case, a person or a group, every rule that was asked, and what was done.

`find` turns what somebody typed into one of them; `tell` gathers the story, which `bot/explain/words.py` puts in words.
"""

import re
from collections.abc import Collection, Iterable, Sequence

from bot.config.problems import closest
from bot.explain import identity, journeys, prizes
from bot.explain.case import case_story
from bot.explain.stories import (
    Answer,
    Blocked,
    Candidate,
    CaseFile,
    CaseLine,
    GroupStory,
    Matter,
    PersonStory,
    Points,
    Release,
    Stay,
    Story,
    Strike,
)
from store import blocks, history, matters, people, points, staff, strikes, trace
from store.database import Tx
from store.people import PersonRow
from store.removal import CaseRow
from store.trace import TraceRow

ROWS = 200  # of the trace, the newest
POINTS_SHOWN = 5
MEANT_SHOWN = 5


class NotFoundError(Exception):
    """What was typed is nothing we know. The text is Chinese; `meant` is what was perhaps meant."""

    def __init__(self, text: str, meant: Sequence[str] = ()) -> None:
        self.meant = tuple(meant)
        super().__init__(text)


# --- find -------------------------------------------------------------------------------------------------------------


async def find(tx: Tx, typed: str) -> list[Candidate]:
    """All that `typed` may mean: a case's number, or a person's or group's id or name. Raises NotFoundError."""
    typed = typed.strip()
    number = re.fullmatch(r"[#＃]?(\d{1,9})", typed)
    if number and (case := await history.case(tx, int(number[1]))):
        return [Candidate(kind="case", id=f"#{case.id}", name=f"案件 #{case.id}")]
    found = [
        Candidate(kind="group", id=chat_id, name=name or chat_id, note=await _about_group(tx, chat_id))
        for chat_id, name in sorted((await history.groups_called(tx, typed)).items())
    ]
    found += [
        Candidate(kind="person", id=who, name=name or who, note=await _about_person(tx, who))
        for who, name in sorted((await history.people_called(tx, typed)).items())
    ]
    exact = [each for each in found if each.id == typed]
    if found:
        return exact or found
    raise await _not_found(tx, typed, is_number=number is not None)


async def _not_found(tx: Tx, typed: str, *, is_number: bool) -> NotFoundError:
    if is_number:
        last = await history.last_case(tx)
        return NotFoundError(f"没有案件 {typed}。" + (f"最新的是 #{last}。" if last else "还没有任何案件。"))
    colleagues, _ = await staff.find(tx, [typed])
    if colleagues:
        return NotFoundError(f"「{typed}」是自己的同事，规则从来不问同事。")
    names = await history.all_names(tx)
    similar = [name for name in names if typed and typed in name][:MEANT_SHOWN] or [closest(typed, names)]
    return NotFoundError(f"没有叫「{typed}」的群或人，也不是案件编号或 id。", list(filter(None, similar)))


async def _about_group(tx: Tx, chat_id: str) -> str:
    return f"{await history.size(tx, chat_id)} 位客户"


async def _about_person(tx: Tx, external_userid: str) -> str:
    return "、".join(group.name or group.chat_id for group, _ in await history.stays(tx, external_userid))


# --- tell -------------------------------------------------------------------------------------------------------------


async def tell(tx: Tx, what: Candidate) -> Story:
    """The whole story of what was found."""
    if what.kind == "case":
        return await _case(tx, int(what.id[1:]))
    return await (_person(tx, what.id) if what.kind == "person" else _group(tx, what.id))


async def _case(tx: Tx, number: int) -> CaseFile:
    row = await history.case(tx, number)
    if row is None:
        raise NotFoundError(f"没有案件 #{number}。")
    answers = await _answers(
        tx, await trace.about(tx, row.external_userid, newest=ROWS), only_about={row.external_userid}
    )
    mine = tuple(each for each in answers if each.chat_id in ("", row.chat_id))
    changed = next((each.because for each in reversed(mine) if each.verdict == "miss" and each.rule == row.rule), "")
    return CaseFile(case=await case_story(tx, row, changed=changed), answers=mine)


async def _person(tx: Tx, external_userid: str) -> PersonStory:
    row = await people.person(tx, external_userid) or PersonRow(external_userid=external_userid)
    stays = await history.stays(tx, external_userid)
    inviters = await staff.names(tx, [member.invited_by for _, member in stays if member.invited_by])
    at_doors = await identity.subjects_of(tx, external_userid)
    rows = [row for subject in (external_userid, *at_doors) for row in await trace.about(tx, subject, newest=ROWS)]
    rows = sorted({row.id: row for row in rows}.values(), key=lambda row: row.id or 0, reverse=True)
    answers = await _answers(tx, rows, only_about={external_userid, *at_doors})
    on_pages = await identity.of_person(tx, external_userid)
    return PersonStory(
        external_userid=external_userid,
        name=await history.name_of(tx, external_userid),
        account=row.account,
        company=row.company,
        company_full_name=row.company_full_name,
        checked_at=row.checked_at,
        check_due_at=row.check_due_at,
        stays=tuple(
            Stay(
                chat_id=group.chat_id,
                group=group.name or group.chat_id,
                joined_at=member.joined_at,
                join_scene=member.join_scene,
                invited_by=inviters.get(member.invited_by or "", ""),
                left_at=member.left_at,
                quit_scene=member.quit_scene,
                detailed=member.detailed,
            )
            for group, member in stays
        ),
        releases=tuple(
            Release(rule=each.rule, by=each.released_by, at=each.released_at, case=each.case_id)
            for each in await history.releases(tx, external_userid)
        ),
        blocked=tuple(
            Blocked(at=each.blocked_at, by=each.blocked_by, because=each.because)
            for each in await blocks.blocked(
                tx, [external_userid], [member.unionid for _, member in stays if member.unionid]
            )
        ),
        strikes=tuple(
            Strike(
                at=each.at,
                rule=each.rule,
                because=each.because,
                came_to=each.came_to,
                forgiven=each.forgiven_at is not None,
            )
            for each in await strikes.of(tx, external_userid)
        ),
        points=await points.balance(tx, external_userid),
        point_entries=tuple(
            Points(at=each.at, points=each.points, why=each.why)
            for each in await points.entries(tx, external_userid, newest=POINTS_SHOWN)
        ),
        identity=on_pages,
        prizes=await prizes.of_person(tx, external_userid, on_pages.visitor if on_pages else None),
        journeys=await journeys.of_person(tx, external_userid),
        cases=await _lines(tx, await history.cases_about(tx, external_userid)),
        answers=answers,
    )


async def _group(tx: Tx, chat_id: str) -> GroupStory:
    row = await history.group(tx, chat_id)
    if row is None:
        raise NotFoundError(f"没有群 {chat_id}。")
    names = await staff.names(tx, [row.owner, *row.admins])
    return GroupStory(
        chat_id=chat_id,
        name=row.name or chat_id,
        group_kind=row.kind,
        owner=names.get(row.owner, row.owner),
        admins=tuple(names[userid] for userid in row.admins),
        members=await history.size(tx, chat_id),
        version=row.version,
        watched_since=row.watched_since,
        read_at=row.read_at,
        read_due_at=row.read_due_at,
        dismissed_at=row.dismissed_at,
        matters=tuple(
            Matter(since=each.opened_at, title=each.title, text=each.text) for each in await matters.about(tx, chat_id)
        ),
        cases=await _lines(tx, await history.cases_in(tx, chat_id, newest=50)),
        answers=await _answers(tx, await trace.about(tx, chat_id, newest=50), only_in=chat_id),
    )


async def _lines(tx: Tx, cases: Iterable[CaseRow]) -> tuple[CaseLine, ...]:
    lines = []
    for case in cases:
        group, person = await history.names_of(tx, case)
        lines.append(
            CaseLine(
                number=case.number,
                group=group,
                person=person,
                rule=case.rule,
                because=case.because,
                opened_at=case.opened_at,
                closed_at=case.closed_at,
                outcome=case.outcome or "",
            )
        )
    return tuple(lines)


async def _answers(
    tx: Tx, rows: Sequence[TraceRow], *, only_about: Collection[str] = (), only_in: str | None = None
) -> tuple[Answer, ...]:
    """What the rules said, in order; what one said again and again is one answer."""
    answers: list[Answer] = []
    latest: dict[tuple[str, str, str], int] = {}
    groups: dict[str, str] = {}
    names: dict[tuple[str, str], str] = {}
    for row in reversed(rows):
        for each in trace.decisions(row):
            chat_id = each.chat_id or row.chat_id or ""
            if (only_about and each.subject not in only_about) or (only_in and chat_id != only_in):
                continue
            if chat_id not in groups:
                group = await history.group(tx, chat_id)
                groups[chat_id] = (group.name if group else "") or chat_id
            if (each.subject, chat_id) not in names:
                names[each.subject, chat_id] = await history.name_of(tx, each.subject, chat_id)
            answer = Answer(
                at=row.at,
                last_at=row.at,
                times=1,
                event=row.event,
                rule=each.rule,
                verdict=each.verdict,
                because=each.because,
                evidence=each.evidence,
                chat_id=chat_id,
                group=groups[chat_id],
                external_userid=each.subject,
                person=names[each.subject, chat_id],
                actions=tuple(action.kind for action in each.actions),
                config=row.config,
            )
            place = (each.rule, chat_id, each.subject)
            before = answers[latest[place]] if place in latest else None
            if before is not None and _same(before, answer):
                answers[latest[place]] = before.model_copy(update={"last_at": row.at, "times": before.times + 1})
            else:
                latest[place] = len(answers)
                answers.append(answer)
    return tuple(answers)


def _same(one: Answer, other: Answer) -> bool:
    return (one.verdict, one.because, one.config) == (other.verdict, other.because, other.config)

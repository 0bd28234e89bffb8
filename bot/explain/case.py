"""The time line of one removal case: who was asked and whether it arrived, who pressed what, and on what it closed."""

import json
from collections.abc import Iterable
from datetime import datetime

from pydantic import AwareDatetime

from handlers import appeal
from handlers.one_to_one import WARNING
from rules.actions import CallRemover, CancelSend, CreateSend, RemindSend, SendCard, SendNotice, SendText, UpdateCard
from rules.removal import OUTCOMES
from rules.value import Value
from store import cards, history, matters, outbox, people, staff
from store.cards import CardRow, PressRow
from store.database import Tx
from store.outbox import Outbox
from store.removal import CaseRow
from store.roster import MemberRow

BUTTONS = {
    "removed": "已移出",
    "release": "误判，放行",
    "later": "稍后",
    "warned": "已提醒",
    "release_company": "放行这家公司",
    "uphold": "维持原来的处理",
    "reassign": "改派给TA",
    "transfer": "转让群主给TA",
    "seen": "知道了",
}
TEXTS = {
    "remind": "提醒",
    "escalate": "报告负责人",
    "still": "告诉（名单上人还在）",
    "text": "用文字请",
    "untold": "告诉群主（1:1 没有发出去）",
}
PRUNED = {
    "send_card": "卡片",
    "send_text": "消息",
    "send_notice": "清单",
    "update_card": "卡片改成不用再按",
    "transfer_group": "转让群主",
    "call_remover": "通知公司的程序移出",
    "create_send": "1:1 提醒",
}
NEXT = {
    "ask": "公司的程序还没移出就发卡片请人",
    "check": "核对名单，看按「已移出」的是否真移出了",
    "remind": "还没移出就提醒",
    "escalate": "还没移出就报告负责人",
}


class Moment(Value):
    """Something that happened, in a Chinese sentence."""

    at: AwareDatetime
    what: str


class CaseStory(Value):
    """`closed_on`: the evidence on which it closed. `next_step` is due at `next_at`; "" where only the roster counts.

    `listed`: no card was sent about it; it stands in the daily list.
    """

    number: int
    chat_id: str
    group: str
    external_userid: str
    person: str
    company: str
    rule: str
    because: str
    evidence: str
    doubt: str
    listed: bool
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None
    outcome: str
    closed_on: str
    next_step: str
    next_at: AwareDatetime | None
    timeline: tuple[Moment, ...]


async def case_story(tx: Tx, case: CaseRow, *, changed: str) -> CaseStory:
    """`changed`: what the rule said when it last missed, which is why a withdrawn case was withdrawn."""
    group, person = await history.names_of(tx, case)
    on_record = await people.person(tx, case.external_userid)
    closed_on = await _evidence(tx, case, changed) if case.closed_at else ""
    return CaseStory(
        number=case.number,
        chat_id=case.chat_id,
        group=group,
        external_userid=case.external_userid,
        person=person,
        company=on_record.company if on_record else "",
        rule=case.rule,
        because=case.because,
        evidence=case.evidence,
        doubt=case.doubt,
        listed=case.listed,
        opened_at=case.opened_at,
        closed_at=case.closed_at,
        outcome=case.outcome or "",
        closed_on=closed_on,
        next_step=NEXT.get(case.step or "", case.step or ""),
        next_at=case.step_due_at,
        timeline=await _timeline(tx, case, closed_on),
    )


async def _timeline(tx: Tx, case: CaseRow, closed_on: str) -> tuple[Moment, ...]:
    about = await history.cards_about(tx, case.number)
    deeds = await _deeds(tx, case, about)
    presses = await cards.presses(tx, case.number)
    recipients = [userid for deed in deeds for userid in _to(deed)]
    names = await staff.names(tx, [*recipients, *(press.userid for press in presses), *(p.choice for p in presses)])
    opened = f"开案：{case.because}" + ("（不发卡片，进每日清单）" if case.listed else "")
    by_task = {card.task_id: card for card in about}
    moments = [Moment(at=case.opened_at, what=opened)]
    moments += [_card_without_deed(card) for card in about if card.state in ("planned", "dropped")]
    moments += [_deed(deed, names, by_task) for deed in deeds if deed.kind != "update_card"]
    appealed = await matters.last(tx, appeal.key(case))
    moments += [Moment(at=appealed.opened_at, what=f"申诉：{appealed.text}")] if appealed else []
    moments += [_press(press, names) for press in presses]
    if case.escalated_at and not any(_escalates(deed, about) for deed in deeds):
        moments.append(Moment(at=case.escalated_at, what="应当报告负责人，可是没有认得出的负责人（managers）"))
    if case.closed_at:
        outcome = OUTCOMES.get(case.outcome, case.outcome or "")
        moments.append(Moment(at=case.closed_at, what=f"结案：{outcome}。{closed_on}"))
    moments += [_deed(deed, names, by_task) for deed in deeds if deed.kind == "update_card"]
    # What has the same time stays in this order: asked, pressed, closed, shown.
    return tuple(sorted(moments, key=lambda moment: moment.at))


async def _deeds(tx: Tx, case: CaseRow, about: Iterable[CardRow]) -> list[Outbox]:
    """What was sent about the case. A text may speak of several cases and is filed under the first of them."""
    together = {number for card in about for number in await history.case_numbers_on(tx, card.number)}
    marks = [f"card:{card.number}" for card in about] + [f"case:{number}" for number in together | {case.number}]
    marks.append(f"{WARNING}:{case.number}")
    found = await history.deeds_about(tx, marks)
    return [deed for deed in found if not _is_about_others(deed, case)]


def _is_about_others(deed: Outbox, case: CaseRow) -> bool:
    if deed.kind == "call_remover":
        return deed.about != f"case:{case.number}"
    if deed.state == "pruned":
        return False  # nothing tells any more: who was on the card with them was told with them
    return (deed.about or "").startswith("case:") and f"#{case.number}「" not in deed.payload


def _escalates(deed: Outbox, about: Iterable[CardRow]) -> bool:
    marks = {f"card:{card.number}" for card in about if card.kind == "escalation"}
    return deed.key.startswith("escalate:") or deed.about in marks


def _card_without_deed(card: CardRow) -> Moment:
    waits = card.state == "planned"
    return Moment(at=card.send_at, what="卡片排在这时发出" if waits else "卡片没有发：那时已经不用，或改进每日清单")


def _press(press: PressRow, names: dict[str, str]) -> Moment:
    choice = f"（选了 {names.get(press.choice, press.choice)}）" if press.choice else ""
    return Moment(at=press.at, what=f"{names[press.userid]} 按了「{BUTTONS.get(press.button, press.button)}」{choice}")


def _to(deed: Outbox) -> tuple[str, ...]:
    if deed.state == "pruned":
        return ()
    said = outbox.deed_of(deed)
    if isinstance(said, CreateSend):
        return (said.sender,)
    return said.to if isinstance(said, SendText | SendNotice | SendCard | UpdateCard) else ()


def _deed(deed: Outbox, names: dict[str, str], about: dict[str | None, CardRow]) -> Moment:
    if deed.state == "pruned":
        what = f"安排过{PRUNED.get(deed.kind, deed.kind)}（内容已过保存期）"
        return Moment(at=deed.finished_at or deed.created_at, what=what)
    said = outbox.deed_of(deed)
    to = "、".join(names.get(userid, userid) for userid in _to(deed))
    match said:
        case SendCard(task_id=task_id):
            card = about.get(task_id)
            what = f"{'上报卡片' if card and card.kind == 'escalation' else '卡片'}发给 {to}"
        case CallRemover():
            what = "通知公司的程序移出"
        case CreateSend():
            what = f"请 {to} 在群发助手里 1:1 提醒"
        case RemindSend():
            what = "群发助手又提醒了一次"
        case CancelSend():
            what = "撤回没有发出的 1:1 提醒"
        case UpdateCard(replace_with=words):
            what = f"卡片改成「{words}」，不用再按"
        case SendText(text=text):
            topic = TEXTS.get(deed.key.split(":", 1)[0])
            what = f"{topic} {to}" if topic else f"消息发给 {to}：{text}"
        case _:
            what = deed.kind
    return Moment(at=deed.finished_at or deed.created_at, what=what + _came_to(deed, names))


def _came_to(deed: Outbox, names: dict[str, str]) -> str:
    match deed.state:
        case "done":
            missed = "、".join(names.get(userid, userid) for userid in _not_reached(deed))
            return f"（没有送到 {missed}：不在应用的可见范围？）" if missed else ""
        case "dead":
            return f"——没有办成：{deed.last_error}"
        case "ignored":
            return "——没有发：那时已经不用"
        case _ if deed.last_error:
            return f"——还没办成，会再试：{deed.last_error}"
        case _:
            return "——正要办"


def _not_reached(deed: Outbox) -> list[str]:
    """From what the platform answered (wecom.commands.Sent as JSON)."""
    try:
        answer = json.loads(deed.result or "{}")
    except ValueError:
        return []
    return list(answer.get("invalid_users") or []) if isinstance(answer, dict) else []


# --- why it closed ----------------------------------------------------------------------------------------------------


async def _evidence(tx: Tx, case: CaseRow, changed: str) -> str:
    by = (await staff.names(tx, [case.closed_by]))[case.closed_by] if case.closed_by else ""
    member = await history.member(tx, case.chat_id, case.external_userid)
    match case.outcome:
        case "removed" | "left" | "gone":
            return f"依据：{_roster(case, member)}" + (f"；{by} 按过「已移出」" if by else "")
        case "released":
            return f"依据：{by} 按了「误判，放行」"
        case "withdrawn":
            return f"依据：规则改判，{changed}" if changed else "依据：规则改判"
        case "dismissed":
            return "依据：企业微信说群已解散"
        case _:
            return ""


def _roster(case: CaseRow, member: MemberRow | None) -> str:
    """What the roster says now; only where that is still about the same stay does it explain the closing."""
    if member is None or member.left_at is None or not _is_near(member.left_at, case.closed_at):
        return "那时名单上不再有此人（后来又进过群）"
    ways = {0: "企业微信说是自己退群（QuitScene 0）", 1: "企业微信说是被群主或群管理员移出（QuitScene 1）"}
    how = ways.get(-1 if member.quit_scene is None else member.quit_scene)
    return how or "名单上不再有此人，企业微信没有说是怎么走的"


def _is_near(one: datetime, other: datetime | None) -> bool:
    return other is not None and abs((one - other).total_seconds()) < 3600

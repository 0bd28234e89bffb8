"""The stories of `steward explain` on 80 columns, in Chinese."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from bot import say
from bot.explain import identity, journeys, prizes
from bot.explain.stories import Answer, Candidate, CaseFile, CaseLine, GroupStory, PersonStory, Stay, Story, Strike
from rules.removal import OUTCOMES, how_joined

ANSWERS_SHOWN = 20

EVENTS = {
    "group_created": "建群",
    "group_changed": "群有改动",
    "members_joined": "进群",
    "members_left": "退群",
    "group_read_due": "读群名单",
    "person_check_due": "再查此人",
    "contact_added": "同事加了好友",
    "case_step_due": "案件到时间",
    "cases_pressed": "按了按钮",
    "message_posted": "发了消息",
    "member_reported": "有人举报",
    "blocklist_changed": "黑名单有改动",
    "entrance_scanned": "扫了入口的码",
    "line_served": "轮到了",
    "journey_asked": "进了打卡的群",
    "journey_started": "进了打卡的群",
    "checked_in": "打卡",
    "made_up": "补签",
    "leave_taken": "请假",
    "checkin_undone": "撤销打卡",
    "opted_out": "说了不要",
    "journeys_due": "到了看打卡的时间",
}
VERDICTS = {"hit": ("命中", "red"), "miss": ("放过", "green"), "unknown": ("存疑", "yellow")}
AT_DOORS = {"hit": ("有群", "green"), "miss": ("没有群", "yellow"), "unknown": ("存疑", "yellow")}
"""Of entrances, which are no rules."""
OF_CHECKINS = {"hit": ("算", "green"), "miss": ("没有算", "yellow"), "unknown": ("存疑", "yellow")}
"""Nor are check-ins."""

ACCOUNTS = {"wechat": "微信", "wecom": "企业微信", "unknown": "未知（没有同事加过，或还没查过）"}
ACTIONS = {
    "ask_for_removal": "请人移出",
    "warn_staff": "请人提醒",
    "block_person": "拉黑",
    "check_again": "以后再查",
}
CAME_TO = {
    "observe": "只记录",
    "warn": "提醒",
    "remove": "移出",
    "block": "拉黑",
    "held": "到了上限，先等负责人",
}
KINDS = {"case": "案件", "person": "人", "group": "群"}


def show(story: Story, console: Console) -> None:
    """Print the story and what may be asked next."""
    match story:
        case CaseFile():
            _show_case(story, console)
        case PersonStory():
            _show_person(story, console)
        case GroupStory():
            _show_group(story, console)


def show_candidates(typed: str, candidates: Sequence[Candidate], console: Console) -> None:
    """What was typed may mean several: print what to type instead."""
    console.print(f"叫「{typed}」的不止一个，请用其中一个 id 再问：")
    say.rows(console, [(KINDS[each.kind], Text(each.id, style="bold"), each.note) for each in candidates])
    say.then(console, f"steward explain {candidates[0].id}", "")


# --- the three stories ------------------------------------------------------------------------------------------------


def _show_case(story: CaseFile, console: Console) -> None:
    case = story.case
    state = "还开着" if case.closed_at is None else f"已结案：{OUTCOMES.get(case.outcome, case.outcome)}"
    say.heading(console, f"案件 #{case.number}", state)
    facts = {
        "谁": f"{case.person}（{case.company or '公司未知'}） {case.external_userid}",
        "群": f"{case.group}  {case.chat_id}",
        "规则": f"{case.rule}，证据：{case.evidence or '—'}",
        "为什么": case.because,
        "疑点": case.doubt,
        "接下来": _next(case.next_step, case.next_at) if case.closed_at is None else "",
    }
    say.facts(console, facts)
    say.title(console, "经过")
    say.rows(console, [(Text(say.at(moment.at), style="dim"), moment.what) for moment in case.timeline])
    _answers(console, story.answers, with_place=False)
    if story.appeal:
        say.title(console, "申诉链接（TA觉得冤枉时发给TA，30 天有效，只能用一次）")
        console.print(f"  {story.appeal}", markup=False, highlight=False, soft_wrap=True)
    say.then(console, f"steward explain {case.external_userid}", "看此人在别的群")


def _next(step: str, at: datetime | None) -> str:
    if not step:
        return "只等名单：人不在了就结案"
    return f"{step}（{say.at(at)}）" if at else step


def _show_person(story: PersonStory, console: Console) -> None:
    say.heading(console, story.name, story.external_userid)
    company = story.company_full_name or story.company
    checked = f"{say.at(story.checked_at)} 问过企业微信" if story.checked_at else "还没有问过企业微信"
    again = f"，{say.at(story.check_due_at)} 再问" if story.check_due_at else ""
    say.facts(
        console,
        {
            "账号": ACCOUNTS.get(story.account, story.account),
            "公司": company or ("—" if story.account == "wechat" else "还查不到（要等同事加了对方）"),
            "资料": checked + again,
        },
    )
    say.title(console, "在哪些群")
    say.rows(console, [_stay(stay) for stay in story.stays] or [("名单上没有出现过",)])
    if story.identity:
        identity.show(console, story.identity)
    if story.prizes:
        prizes.show(console, story.prizes)
    if story.journeys:
        journeys.show(console, story.journeys)
    if story.blocked:
        say.title(console, "黑名单")
        say.rows(
            console,
            [
                (Text(say.at(each.at), style="dim"), f"{each.by} 拉黑：{each.because or '没有写原因'}")
                for each in story.blocked
            ],
        )
    if story.strikes:
        say.title(console, f"违规记录（{len(story.strikes)} 次）")
        say.rows(console, [_strike(each) for each in story.strikes])
    if story.point_entries:
        say.title(console, f"积分（现有 {story.points} 分，这里是最近 {len(story.point_entries)} 笔）")
        rows = [(Text(say.at(each.at), style="dim"), f"{each.points:+d}", each.why) for each in story.point_entries]
        say.rows(console, rows)
    if story.releases:
        say.title(console, "放行")
        say.rows(
            console,
            [
                (
                    Text(say.at(each.at), style="dim"),
                    f"{each.by} 放行{f'（案件 #{each.case}）' if each.case else ''}：规则 {each.rule} 不再问此人",
                )
                for each in story.releases
            ],
        )
    _cases(console, story.cases)
    _answers(console, story.answers, with_place=True)
    if story.cases:
        say.then(console, f"steward explain {story.cases[0].number}", "看一个案件的全部经过")


def _strike(strike: Strike) -> tuple[Text, Text]:
    text = Text(f"{strike.rule} → {CAME_TO.get(strike.came_to, strike.came_to)}：{strike.because}")
    if strike.forgiven:
        text.append("（已放行，不再计较）", style="dim")
    return Text(say.at(strike.at), style="dim"), text


def _stay(stay: Stay) -> tuple[Text, str]:
    how = how_joined(stay.joined_at, stay.join_scene, stay.invited_by) if stay.detailed else "刚进群，还没读到详情"
    left = f"，{say.at(stay.left_at)} 起不在" if stay.left_at else ""
    way = {0: "（自己退群）", 1: "（被移出）"}.get(-1 if stay.quit_scene is None else stay.quit_scene, "")
    is_in = Text("已不在", style="dim") if stay.left_at else Text("在群里", style="bold")
    return is_in, f"{stay.group}：{how}{left}{way if stay.left_at else ''}"


def _show_group(story: GroupStory, console: Console) -> None:
    state = f"{say.at(story.dismissed_at)} 解散" if story.dismissed_at else f"{story.members} 位客户"
    say.heading(console, story.name, f"{state}  {story.chat_id}")
    due = f"，{say.at(story.read_due_at)} 再读" if story.read_due_at else ""
    say.facts(
        console,
        {
            "种类": story.group_kind,
            "群主": story.owner or "不知道",
            "群管理员": "、".join(story.admins) or "没有",
            "看着它": f"{say.at(story.watched_since)} 起",
            "名单": (f"{say.at(story.read_at)} 读过" if story.read_at else "还没有读过") + due,
            "版本": story.version or "—",
        },
    )
    if story.matters:
        say.title(console, "要留意的事")
        say.rows(
            console, [(Text(say.at(each.since), style="dim"), f"{each.title}：{each.text}") for each in story.matters]
        )
    _cases(console, story.cases)
    _answers(console, story.answers, with_place=True)
    if story.cases:
        say.then(console, f"steward explain {story.cases[0].number}", "看一个案件的全部经过")


# --- parts ------------------------------------------------------------------------------------------------------------


def _cases(console: Console, cases: Sequence[CaseLine]) -> None:
    say.title(console, "案件")
    say.rows(console, [_case_line(case) for case in cases] or [("没有",)])


def _case_line(case: CaseLine) -> tuple[Text, Text, str]:
    state = OUTCOMES.get(case.outcome, case.outcome) if case.closed_at else "还开着"
    return (
        Text(f"#{case.number}", style="bold"),
        Text(state, style="green" if case.closed_at else "red"),
        f"{say.at(case.opened_at)} {case.person} 在「{case.group}」：{case.because}",
    )


def _answers(console: Console, answers: Sequence[Answer], *, with_place: bool) -> None:
    """The newest answers, oldest of them first; every rule that was asked, whatever it said."""
    shown = answers[-ANSWERS_SHOWN:]
    more = f"，这里是最近 {len(shown)} 条，全部请加 --json" if len(shown) < len(answers) else ""
    say.title(console, f"规则怎么说（{len(answers)} 条{more}）")
    lines = [(Text(say.at(each.at), style="dim"), _answer(each, with_place=with_place)) for each in shown]
    say.rows(console, lines or [("没有问过任何规则",)])


def _answer(answer: Answer, *, with_place: bool) -> Text:
    of_door = answer.rule.startswith("entrance:")
    of_checkin = answer.rule.startswith("checkin:")
    words = AT_DOORS if of_door else OF_CHECKINS if of_checkin else VERDICTS
    word, style = words.get(answer.verdict, (answer.verdict, ""))
    text = Text(f"{answer.rule.replace('entrance:', '入口 ').replace('checkin:', '打卡 ')} ")
    text.append(word, style=style)
    if with_place:
        text.append(f" {answer.person.replace('visitor:', '访客 ')}")
        text.append(f" 在「{answer.group}」" if answer.group or not of_door else "")
    text.append(f"：{answer.because}")
    wanted = "、".join(ACTIONS.get(action, action) for action in answer.actions)
    notes = [
        f"{'渠道' if of_door else '证据'} {answer.evidence}" if answer.evidence else "",
        f"要做：{wanted}" if wanted else "",
        f"因为：{EVENTS.get(answer.event, answer.event)}",
        f"设置 {say.version(answer.config)}" if answer.config else "",
        f"到 {say.at(answer.last_at)} 共 {answer.times} 次，都一样" if answer.times > 1 else "",
    ]
    text.append(f"\n{'  '.join(note for note in notes if note)}", style="dim")
    return text

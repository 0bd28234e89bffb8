"""Forgetting a person: what a text says of them is taken out of it, and what is said about it. Pure.

Their ids become a pseudonym (`forgotten-12`, made from the visitor's number, which leads to nobody any more), so that
what has to stay (the ledger, winner lists, how a case ended) still adds up. Their name becomes NOBODY.
"""

import json
import re
from functools import cached_property
from typing import Any

from rules.value import Value

NOBODY = "已删除的顾客"
WHY = "已按本人要求删除"
SHORTEST_NAME = 2  # letters: a shorter name stands in too many words to be looked for by itself

_LETTER = r"[A-Za-z0-9_-]"  # what ids are made of: "wm1" is not in "wm12"


class Traces(Value):
    """What is looked for. `number`: their visitor's, `numbers`: and those that were merged into it. `ids`:
    external_userids first, then openids and unionids. `names`: what they were called.

    `only_theirs`: those of the names that nobody else has, who may be looked for where no id stands beside.
    """

    number: int
    numbers: tuple[int, ...]
    ids: tuple[str, ...]
    names: tuple[str, ...] = ()
    only_theirs: tuple[str, ...] = ()

    @cached_property
    def pseudonyms(self) -> dict[str, str]:
        """One for each id, so that what was unique still is."""
        return {each: f"forgotten-{self.number}" + (f"-{n}" if n > 1 else "") for n, each in enumerate(self.ids, 1)}

    @cached_property
    def _ids(self) -> re.Pattern[str]:
        some = "|".join(sorted(map(re.escape, self.ids), key=len, reverse=True))
        return re.compile(f"(?<!{_LETTER})(?:{some})(?!{_LETTER})")

    def has_id(self, text: str) -> bool:
        return self._ids.search(text) is not None

    def has_name(self, text: str) -> bool:
        return any(form in text for name in self.only_theirs for form in written(name))

    def without(self, text: str, *, names: bool = True) -> str:
        """`text` with pseudonyms for their ids, and nobody's name for theirs where `names` is wanted."""
        text = self._ids.sub(lambda found: self.pseudonyms[found[0]], text)
        for name in self.names if names else ():
            for form in written(name):
                text = text.replace(form, NOBODY)
        return text


def written(name: str) -> tuple[str, ...]:
    """A name as it stands in a text, and in JSON."""
    forms = (name, json.dumps(name, ensure_ascii=False)[1:-1], json.dumps(name)[1:-1])
    return tuple(dict.fromkeys(sorted(forms, key=len, reverse=True)))


def decisions_without(text: str, traces: Traces) -> str:
    """Of the trace of one event (a JSON list of decisions): what was said about them says nothing any more."""
    try:
        decisions: list[dict[str, Any]] = json.loads(text)
    except ValueError:
        return "[]"
    for each in decisions:
        if each.get("subject") in traces.ids:
            each.update({"because": WHY, "evidence": "", "actions": []})
    return traces.without(json.dumps(decisions, ensure_ascii=False))


# --- what is said about it --------------------------------------------------------------------------------------------

TABLES: dict[str, str] = {
    "members": "群名单里的记录",
    "people": "客户资料",
    "openids": "openid 对照",
    "visitor_proofs": "网页上的身份",
    "visitor_ties": "身份之间的关系",
    "messages": "群消息的痕迹",
    "reports": "别人对此人的举报",
    "points": "积分",
    "strikes": "违规记录",
    "releases": "放行记录",
    "waiting": "排队的位置",
    "visits": "扫码记录",
    "inbox": "收到的事件",
    "outbox": "发出的消息",
    "trace": "规则的判断",
    "trace_subjects": "规则判断的索引",
    "cases": "案件（留编号和结果）",
    "matters": "待办事项",
    "sends": "一对一的群发",
    "send_results": "群发的结果",
    "seats": "座位（群照样算用过）",
    "blocks": "黑名单（留记录，不再认人）",
    "draw_entrants": "抽奖名单（留抽奖号）",
    "draw_winners": "中奖名单（留抽奖号和金额）",
    "draw_shares": "抢到的份额",
    "payouts": "派奖记录（留金额）",
    "ledger": "台账（留金额）",
    "own_tags": "自己的标签",
    "checkin_pictures": "打卡传的图片",
    "checkin_rewards": "打卡的奖励（留金额）",
    "journeys": "打卡旅程（留统计）",
    "checkin_nudges": "打卡的提醒",
    "checkin_days": "打卡的内容和回答（留统计）",
}
"""What managers call a table; others are called by their own name."""


def say_what(table: str) -> str:
    return TABLES.get(table, f"其他记录（{table}）")

"""A month's payouts for the accounts: one line for each prize, gross, tax and net (facts/money.md §4)."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, date, datetime

from pydantic import AwareDatetime

from rules.clock import BEIJING
from rules.money import to_yuan
from rules.value import Value

STATES = {
    "planned": "待发",
    "sending": "正在发",
    "unknown": "结果未知",
    "sent": "已发未领",
    "received": "已领取",
    "refunded": "没领，已退回",
    "failed": "没有发出",
}
WAYS = {"wechat": "微信支付", "owner": "群主发放", "coupon": "券"}
BORN_BY = {"organiser": "商家承担", "winner": "中奖者承担"}

COLUMNS = ("日期", "抽奖", "中奖者", "方式", "应税金额", "税额", "实发", "税由谁出", "状态", "单号", "备注")


class Line(Value):
    """One payout. Amounts in fen; what was not paid counts with zero."""

    at: AwareDatetime
    draw: str
    person: str
    way: str
    gross: int
    tax: int
    net: int
    born_by: str
    state: str
    number: str
    why: str


def month_span(month: str) -> tuple[datetime, datetime]:
    """`2026-11` → its first moment in Beijing, and the first one after it; in UTC. ValueError: no such month."""
    first = date.fromisoformat(f"{month}-01")
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    start, end = (datetime(day.year, day.month, day.day, tzinfo=BEIJING) for day in (first, following))
    return start.astimezone(UTC), end.astimezone(UTC)


def as_csv(lines: Iterable[Line]) -> str:
    """For a spreadsheet: amounts in yuan; the last line is the sum of what was paid."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(COLUMNS)
    gross = tax = net = 0
    for line in lines:
        gross, tax, net = gross + line.gross, tax + line.tax, net + line.net
        table.writerow(
            [
                f"{line.at.astimezone(BEIJING):%Y-%m-%d %H:%M}",
                _plain(line.draw),
                _plain(line.person),
                WAYS.get(line.way, line.way),
                to_yuan(line.gross),
                to_yuan(line.tax),
                to_yuan(line.net),
                BORN_BY[line.born_by] if line.tax else "",
                STATES[line.state],
                _plain(line.number),
                _plain(line.why),
            ]
        )
    table.writerow(["合计", "", "", "", to_yuan(gross), to_yuan(tax), to_yuan(net), "", "", "", ""])
    return out.getvalue()


def _plain(text: str) -> str:
    """A spreadsheet takes what begins with one of these for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text

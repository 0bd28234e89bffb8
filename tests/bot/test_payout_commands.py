"""`steward draw payouts`, `settle`, `codes`, `desk`: what a manager and the accounts see, on a real database."""

import asyncio
import csv
import io
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner, Result

from bot.cli import app
from rules.payouts import number
from store import coupon_codes, ledger, payouts
from store.database import Database, Tx
from store.payouts import PayoutRow
from store.staff import StaffRow

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
NUMBERS = {name: number("friday", name, 1) for name in ("paid", "lost")}
Steward = Callable[..., Result]


@pytest.fixture
def steward(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Steward:
    """Two payouts: one was received, of the other nobody knows; nothing goes out since the purse is empty."""
    monkeypatch.chdir(tmp_path)
    env = {"DATABASE_URL": sqlite_url, "STEWARD_PUBLIC_URL": "https://bot.example", "STEWARD_SECRET_KEY": "k" * 16}
    asyncio.run(_with(sqlite_url, _two_payouts))
    return lambda *words: CliRunner().invoke(app, list(words), env=env)


async def _with(url: str, work: Callable[[Tx], Awaitable[Any]]) -> Any:
    store = await Database.open(url)
    try:
        async with store.write() as tx:
            return await work(tx)
    finally:
        await store.close()


async def _two_payouts(tx: Tx) -> None:
    await ledger.fund(tx, "2026-11", 5_000, now=NOW)
    await ledger.reserve(tx, "draw:1", 1_000, month="2026-11", key="r", why="抽奖", now=NOW)
    for name, state in (("paid", "received"), ("lost", "unknown")):
        tx.add(
            PayoutRow(
                draw_id=1,
                draw="friday",
                winner=name,
                way="wechat",
                state=state,
                number=NUMBERS[name],
                purse="draw:1",
                amount=500,
                gross=625,
                tax=125,
                person=f"wm{name}",
                why="TIMEOUT" if state == "unknown" else "RECEIVED",
                doubt=state == "unknown",
                settled=state == "received",
                sent_at=NOW if state == "received" else None,
                since=NOW,
                planned_at=NOW,
            )
        )
    await ledger.settle(tx, "draw:1", 500, key="s", why="x", now=NOW)
    await payouts.pause(tx, "no_money", "NOTENOUGH", probe_at=NOW, now=NOW)
    tx.add(StaffRow(userid="wangwu", name="王五", seen_at=NOW))


def test_what_nobody_knows_is_shown(steward: Steward) -> None:
    """The list says what was paid, that nothing goes out and why, and which payouts nobody knows of; exit code 1."""
    shown = steward("draw", "payouts", "--month", "2026-11")
    assert shown.exit_code == 1
    assert "发放暂停：商户号余额不足（NOTENOUGH）" in shown.output
    assert NUMBERS["lost"] in shown.output
    found = json.loads(steward("draw", "payouts", "--month", "2026-11", "--json").output)
    assert [each["number"] for each in found["unresolved"]] == [NUMBERS["lost"]]
    assert found["budget"] == {"budget": 5_000, "free": 4_000, "held": 500, "paid": 500}
    assert steward("draw", "payouts", "--month", "11月").exit_code == 2


def test_the_month_for_the_accounts(steward: Steward) -> None:
    """The CSV has a line for each prize with gross, tax and net in yuan, and opens as UTF-8 in a spreadsheet."""
    text = steward("draw", "payouts", "--month", "2026-11", "--csv").output
    assert text.startswith("\ufeff日期,")
    assert "wmpaid,微信支付,6.25,1.25,5.00,商家承担,已领取" in text
    assert "wmlost,微信支付,0.00,0.00,0.00,,结果未知" in text


async def _every_way(tx: Tx) -> None:
    """One of each way: an owner's, a coupon, what came back, what the winner bears the tax of; and one of October."""
    last_month = datetime(2026, 10, 31, 15, 59, tzinfo=UTC)
    for name, values in {
        "owner": {
            "way": "owner",
            "state": "received",
            "amount": 20_000,
            "gross": 20_000,
            "chat_id": "wr1",
            "what": "200元",
        },
        "coupon": {"way": "coupon", "state": "received", "amount": 0, "gross": 0, "code": "=T1", "what": "龙井茶样"},
        "back": {"way": "wechat", "state": "refunded", "amount": 300, "gross": 375, "tax": 75},
        "bears": {"way": "wechat", "state": "sent", "amount": 400, "gross": 500, "tax": 100, "born_by": "winner"},
        "before": {
            "way": "wechat",
            "state": "received",
            "amount": 700,
            "gross": 875,
            "tax": 175,
            "sent_at": last_month,
        },
    }.items():
        same = {"draw_id": 2, "draw": "friday", "winner": name, "purse": "draw:2", "number": f"S{name}", "sent_at": NOW}
        tx.add(PayoutRow.model_validate({**same, "since": NOW, "planned_at": NOW, "person": f"wm{name}", **values}))


def test_the_month_adds_up_over_all_ways(steward: Steward, sqlite_url: str) -> None:
    """Owners, coupons and packets are in one sheet by the day they were sent; what came back counts with zero, another
    month's not at all, and the last line is the sum of all columns."""
    asyncio.run(_with(sqlite_url, _every_way))
    text = steward("draw", "payouts", "--month", "2026-11", "--csv").output
    lines = {row[2]: row for row in csv.reader(io.StringIO(text.lstrip("\ufeff")))}
    assert lines["wmowner"][3:9] == ["群主发放", "200.00", "0.00", "200.00", "", "已领取"]
    assert lines["wmcoupon"][3:10] == ["券", "0.00", "0.00", "0.00", "", "已领取", "'=T1"]
    assert lines["wmback"][4:9] == ["0.00", "0.00", "0.00", "", "没领，已退回"]
    assert lines["wmbears"][4:9] == ["5.00", "1.00", "4.00", "中奖者承担", "已发未领"]
    assert "wmbefore" not in lines
    assert lines[""][4:7] == ["211.25", "2.25", "209.00"]
    assert "wmbefore" in steward("draw", "payouts", "--month", "2026-10", "--csv").output


def test_a_manager_settles_what_nobody_knew(steward: Steward, sqlite_url: str) -> None:
    """What a manager found out is booked once; a number that is settled, or unknown to us, is refused."""
    assert steward("draw", "settle", NUMBERS["lost"], "paid").exit_code == 0
    assert asyncio.run(_with(sqlite_url, lambda tx: ledger.purse(tx, "draw:1"))) == ("2026-11", 0, 1_000)
    assert "已有定论" in steward("draw", "settle", NUMBERS["lost"], "failed").output
    assert steward("draw", "settle", "S0", "paid").exit_code == 2
    assert "已恢复" in steward("draw", "payouts", "--resume").output
    assert "没有暂停" in steward("draw", "payouts", "--resume").output
    assert steward("draw", "payouts", "--month", "2026-11").exit_code == 0


def test_status_shows_what_nobody_knows(steward: Steward) -> None:
    """`steward status` names unknown payouts and the pause, and what to do about them."""
    shown = steward("status").output
    assert "不知道发出去没有的红包（1 个）" in shown
    assert "红包暂停发放" in shown
    assert "steward draw payouts" in shown


def test_codes_are_put_in_once(steward: Steward, tmp_path: Path, sqlite_url: str) -> None:
    """A sheet's codes are put in; again only what is new; a sheet with mistakes puts none in and names the cells."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["券码"], ["T001"], ["T002"]):
        sheet.append(row)
    book.save(tmp_path / "券.xlsx")
    assert "新放进 2 个" in steward("draw", "codes", "券.xlsx").output
    sheet.append(["T003"])
    book.save(tmp_path / "券.xlsx")
    assert "新放进 1 个" in steward("draw", "codes", "券.xlsx").output
    sheet.append(["T001"])
    book.save(tmp_path / "券.xlsx")
    wrong = steward("draw", "codes", "券.xlsx")
    assert wrong.exit_code == 2
    assert "券.xlsx!A5" in wrong.output
    assert asyncio.run(_with(sqlite_url, lambda tx: coupon_codes.left(tx, "券.xlsx"))) == 3


def test_the_link_for_the_till(steward: Steward) -> None:
    """A member of staff gets a link of their own; nobody else does."""
    assert "https://bot.example/redeem/" in steward("draw", "desk", "王五").output
    assert steward("draw", "desk", "没有这个人").exit_code == 2

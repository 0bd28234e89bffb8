"""Every code of facts/money.md §2, and what follows from it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules.payouts import ASK_AFTER, CODES, Next, PayAnswer, Standing, fit, follow, meaning, number, words

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def after(code: str, now: datetime = NOW, finding: str = "", **standing: Any) -> Next:
    """What follows from an answer with this code to a packet that is being sent."""
    values: dict[str, Any] = {"state": "sending", "since": NOW} | standing
    answer = PayAnswer.model_validate({"finding": finding or meaning(code), "code": code})
    return follow(Standing.model_validate(values), answer, now)


@pytest.mark.parametrize(
    ("code", "state", "step", "wait"),
    [
        ("SUCCESS", "sent", "query", 6 * HOUR),
        ("SYSTEMERROR", "unknown", "query", MINUTE),
        ("PROCESSING", "unknown", "query", MINUTE),
        ("A_CODE_NOBODY_KNOWS", "unknown", "query", MINUTE),
        ("SEND_FAILED", "failed", "", None),
        ("NOTENOUGH", "planned", "send", 30 * MINUTE),
        ("SENDNUM_LIMIT", "planned", "send", 4 * HOUR + 10 * MINUTE),
        ("RCVDAMOUNT_LIMIT", "planned", "send", 4 * HOUR + 10 * MINUTE),
        ("SENDAMOUNT_LIMIT", "planned", "send", 4 * HOUR + 10 * MINUTE),
        ("FREQ_LIMIT", "planned", "send", timedelta(seconds=2)),
        ("SECOND_OVER_LIMITED", "planned", "send", timedelta(seconds=2)),
        ("NO_AUTH", "unknown", "query", 30 * MINUTE),
        ("OPENID_ERROR", "planned", "", None),
        ("PARAM_ERROR", "planned", "", None),
        ("SIGN_ERROR", "planned", "send", HOUR),
        ("CA_ERROR", "planned", "send", HOUR),
        ("XML_ERROR", "planned", "send", HOUR),
        ("ILLEGAL_APPID", "planned", "send", HOUR),
        ("FATAL_ERROR", "planned", "", None),
        ("NOT_FOUND", "unknown", "send", MINUTE),
    ],
)
def test_every_code(code: str, state: str, step: str, wait: timedelta | None) -> None:
    """Each code of the table, and one that is in no table, leads to the state, step and wait that money §2 asks for."""
    came_to = after(code)
    assert (came_to.standing.state, came_to.standing.step) == (state, step)
    assert came_to.due_at == (None if wait is None else NOW + wait)
    assert code in CODES or meaning(code) == "unknown"


@pytest.mark.parametrize(
    ("status", "finding", "state", "step"),
    [
        ("SENDING", "under_way", "unknown", "query"),
        ("SENT", "arrived", "sent", "query"),
        ("RECEIVED", "received", "received", ""),
        ("RFUND_ING", "returning", "sent", "query"),
        ("REFUND", "returned", "refunded", ""),
        ("FAILED", "failed", "failed", ""),
    ],
)
def test_every_status_of_an_unknown_payout(status: str, finding: str, state: str, step: str) -> None:
    """SENDING is no evidence that money went; every other status of a query settles what was unknown."""
    came_to = after(status, finding=finding, state="unknown", doubt=True)
    assert (came_to.standing.state, came_to.standing.step) == (state, step)
    assert came_to.standing.doubt is (status == "SENDING") or state == "failed"


@pytest.mark.parametrize("code", [*CODES, "A_CODE_NOBODY_KNOWS"])
@pytest.mark.parametrize("state", ["planned", "sending", "unknown", "sent"])
def test_a_new_number_needs_a_definite_end(code: str, state: str) -> None:
    """Nothing but SEND_FAILED (or FAILED of a query) ever allows a new number or the next alternate."""
    came_to = after(code, state=state, doubt=state == "unknown")
    assert (came_to.again or came_to.alternate) is (code == "SEND_FAILED")


@pytest.mark.parametrize("code", ["NOTENOUGH", "SENDNUM_LIMIT", "FREQ_LIMIT", "SIGN_ERROR"])
def test_doubt_stays(code: str) -> None:
    """What was unknown stays unknown, and is shown as that, through refusals that say nothing about the number."""
    assert after(code, state="unknown", doubt=True).standing.state == "unknown"


@pytest.mark.parametrize(
    ("code", "pause"),
    [("NOTENOUGH", "no_money"), ("SIGN_ERROR", "setup"), ("OPENID_ERROR", "setup"), ("FATAL_ERROR", "conflict")],
)
def test_what_stops_everything(code: str, pause: str) -> None:
    """An empty purse, wrong settings and a number with other parameters stop all payouts."""
    assert after(code).pause == pause


def test_three_numbers_then_the_alternate() -> None:
    """A winner's prize uses up three numbers at most; then somebody else's turn comes."""
    ends = [after("SEND_FAILED", attempt=attempt) for attempt in (1, 2, 3)]
    assert [(each.again, each.alternate) for each in ends] == [(True, False), (True, False), (False, True)]


def test_risk_control_goes_to_the_alternate_once_it_is_confirmed() -> None:
    """NO_AUTH asks until FAILED is confirmed, and then uses up no other number for the same person."""
    refused = after("NO_AUTH")
    assert refused.standing.barred
    asked = follow(refused.standing, PayAnswer(finding="under_way", code="SENDING"), NOW + HOUR)
    assert (asked.standing.state, asked.alternate) == ("unknown", False)
    ended = follow(asked.standing, PayAnswer(finding="failed", code="FAILED"), NOW + DAY)
    assert (ended.standing.state, ended.again, ended.alternate) == ("failed", False, True)


def test_what_stays_unknown_is_shown_and_never_dropped() -> None:
    """After its tries an unknown payout is shown to managers and asked about daily; it is never sent again when a query
    cannot tell any more."""
    standing, now, shown = Standing(state="sending", since=NOW), NOW, 0
    for _ in range(100):
        came_to = follow(standing, PayAnswer(finding="unknown", code="SYSTEMERROR"), now)
        standing, shown = came_to.standing, shown + came_to.show
        assert standing.state == "unknown"
        if came_to.due_at is None:
            break
        now = came_to.due_at
    assert shown > 10
    assert standing.step == ""
    assert now >= NOW + 29 * DAY


def test_tries_are_spaced() -> None:
    """Retries of one number are never closer than a second, and get rarer."""
    assert min(ASK_AFTER) >= timedelta(seconds=1)
    assert list(ASK_AFTER) == sorted(ASK_AFTER)


def test_numbers() -> None:
    """A number is made of draw, winner and attempt alone, fits the provider, and differs where any of them does."""
    one = number("friday:2026-11-27", "12", 1)
    assert one == number("friday:2026-11-27", "12", 1)
    others = {number("friday:2026-11-27", "12", 2), number("friday:2026-11-27", "121", 1), number("friday", "12", 1)}
    assert one not in others
    assert len(others) == 3
    assert len(one) == 28
    assert one.isalnum()


def test_words_fit() -> None:
    """What a packet says is cut to the provider's bytes, between characters."""
    assert fit("静安茶铺", 7) == "静安"
    said = words("静" * 60, "周" * 30, "谢" * 60)
    assert [len(each.encode()) for each in (said.send_name, said.act_name, said.wishing)] == [30, 30, 126]

"""Paying a prize: what each answer of WeChat Pay means, and what follows from it (facts/money.md §2).

Never twice, never lost. A call whose outcome nobody knows is UNKNOWN: it is asked about, or made again under the same
number with the same parameters. A new number exists only after a definite end of the old one. Nothing here does I/O.

    planned → sending → unknown → sent → received
                                      ↘ refunded → the next alternate
                                      ↘ failed → a new attempt, or the next alternate
"""

import hashlib
from datetime import datetime, time, timedelta
from typing import Literal

from rules.clock import BEIJING
from rules.value import Value
from rules.when import next_time_of_day

Way = Literal["owner", "coupon", "wechat"]
State = Literal["planned", "sending", "unknown", "sent", "received", "refunded", "failed"]
FINAL: tuple[State, ...] = ("received", "refunded", "failed")
PAID: tuple[State, ...] = ("sent", "received")
"""The states in which the money counts as paid: the ledger has settled it."""

Step = Literal["send", "query", ""]
"""What is due next; "": nothing comes by itself any more."""

Finding = Literal[
    # of a sending
    "accepted",
    "unknown",
    "spent",
    "no_money",
    "tomorrow",
    "slow_down",
    "barred",
    "setup",
    "conflict",
    # of a query
    "not_found",
    "under_way",
    "arrived",
    "received",
    "returning",
    "returned",
    "failed",
]
"""What one answer comes to. A query may also find "unknown", "slow_down", "setup" and "conflict"."""

CODES: dict[str, Finding] = {
    "SUCCESS": "accepted",
    "SYSTEMERROR": "unknown",
    "PROCESSING": "unknown",
    "SEND_FAILED": "spent",
    "NOTENOUGH": "no_money",
    "SENDNUM_LIMIT": "tomorrow",
    "RCVDAMOUNT_LIMIT": "tomorrow",  # what the person may get in a day
    "SENDAMOUNT_LIMIT": "tomorrow",  # what the merchant may send in a day
    "FREQ_LIMIT": "slow_down",
    "SECOND_OVER_LIMITED": "slow_down",
    "NO_AUTH": "barred",
    "OPENID_ERROR": "setup",
    "PARAM_ERROR": "setup",
    "SIGN_ERROR": "setup",
    "CA_ERROR": "setup",
    "XML_ERROR": "setup",
    "ILLEGAL_APPID": "setup",
    "FATAL_ERROR": "conflict",
    "NOT_FOUND": "not_found",
}
"""`err_code` → what it means; `err_code_des` is never looked at. Whatever is not here is unknown."""

STATUSES: dict[str, Finding] = {
    "SENDING": "under_way",
    "SENT": "arrived",
    "FAILED": "failed",
    "RECEIVED": "received",
    "RFUND_ING": "returning",
    "REFUND": "returned",
}
"""`status` of a query → what it means."""


PAUSING_CODES = (
    "NO_SETTINGS",
    "CERTIFICATE",
    *(code for code, finding in CODES.items() if finding in ("no_money", "setup")),
)

QUERY_FINDS: tuple[Finding, ...] = ("not_found", "unknown", "slow_down", "setup", "conflict")
"""What an error may mean that answers a query; whatever else it says, it says nothing of the money."""

ONLY_THIS = ("OPENID_ERROR", "PARAM_ERROR", "OTHER_ACCOUNT")
"""Mistakes that may be one payout's alone: it stops for somebody to look at; others try whether they can go on."""


class Words(Value):
    """What the packet says, already cut to what fits (`fit`)."""

    send_name: str
    act_name: str
    wishing: str
    remark: str


def fit(text: str, most: int) -> str:
    """As much of a text as fits into so many bytes of UTF-8, whole characters only."""
    return text.encode()[:most].decode(errors="ignore")


def words(organiser: str, title: str, wishing: str) -> Words:
    """What a packet says: sender and title have 32 bytes each, ten Chinese characters."""
    title = fit(title, 32)
    return Words(send_name=fit(organiser, 32), act_name=title, wishing=fit(wishing, 128), remark=title)


class PayAnswer(Value):
    """What one call came to. `code`: the err_code or status, or in words of ours why there is none."""

    finding: Finding
    code: str


def meaning(code: str) -> Finding:
    """Of an `err_code`, to whatever it was the answer."""
    return CODES.get(code, "unknown")


def number(draw: str, winner: str, attempt: int) -> str:
    """The `mch_billno`: the same for the same draw, winner and attempt, whoever asks and when. 28 of A-Z and 2-7."""
    digest = hashlib.sha256(f"{draw}\n{winner}\n{attempt}".encode()).digest()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return "S" + "".join(letters[byte & 31] for byte in digest[:27])


# --- limits and waits -------------------------------------------------------------------------------------------------

PACKETS_A_DAY = 10
FEN_A_DAY = 100_000
FEN_A_DAY_OF_MERCHANT = 100_000_000
BETWEEN_CALLS = timedelta(milliseconds=50)
"""20 calls a second: the platform stops at 30."""

ATTEMPTS = 3
"""How many numbers one winner's prize may use up before somebody else's turn comes."""

ASK_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30, 60, 120, 240, 480, 720))
"""When an unknown outcome is looked at: after the n-th try. Then it is shown to the managers, and once a day."""

LOOK_AFTER = tuple(timedelta(hours=hours) for hours in (6, 19, 2, 6))
"""When a packet that was sent is asked about: unopened ones come back after 24 hours. Then every 12 hours."""

SLOW_DOWN = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 15, 30, 60))
A_DAY = timedelta(days=1)
OVERDUE = 3 * A_DAY
"""By then a packet was opened, or came back."""

LISTED_FOR = timedelta(days=29)
"""A query tells of the last 30 days only."""

LONGEST_WAIT = timedelta(hours=25)
"""Nothing of ours is due later than this; where it is, the clock was wrong when that was written."""

WATCH = timedelta(minutes=10)
"""A call that was ordered and of which nothing was heard by then is unknown."""

PROBE_NO_MONEY, PROBE_SETUP = timedelta(minutes=30), timedelta(hours=1)
"""How often one payout tries whether payouts that are paused can go on."""

PROBE_OTHERS = timedelta(minutes=1)
"""After a mistake that may be one payout's alone: how soon the first other one tries."""

Pause = Literal["no_money", "setup", "conflict"]
PROBE_EVERY: dict[str, timedelta] = {"no_money": PROBE_NO_MONEY, "setup": PROBE_SETUP}


class Standing(Value):
    """Where one payout stands. `tries`: calls in a row that brought nothing definite. `doubt`: an outcome of this
    number was unknown, and is not known yet. `barred`: risk control was the last to refuse.
    """

    state: State
    step: Step = "send"
    tries: int = 0
    doubt: bool = False
    barred: bool = False
    since: datetime
    attempt: int = 1


class Next(Value):
    """What follows: the new standing, when its step is due, and what it means for all others.

    `show`: managers have to see it. `again`: a new number may be used; `alternate`: it is somebody else's turn.
    """

    standing: Standing
    due_at: datetime | None
    why: str = ""
    show: bool = False
    again: bool = False
    alternate: bool = False
    pause: Pause | None = None
    resumes: bool = False


def follow(now_is: Standing, answer: PayAnswer, now: datetime) -> Next:
    """What follows from one answer to a sending or a query of this payout's number."""
    if now_is.state in FINAL:  # an answer that comes late tells nothing new
        return Next(standing=now_is.model_copy(update={"step": ""}), due_at=None)
    match answer.finding:
        case "accepted" | "arrived" | "received" | "returning" | "returned":
            return _there(now_is, answer, now)
        case "spent" | "failed":
            return _ended(now_is, answer)
        case "unknown" | "not_found" | "under_way" | "barred":
            return _unknown(now_is, answer, now)
        case "no_money" | "setup" | "conflict":
            return _paused(now_is, answer, now)
        case _:
            return _waits(now_is, answer, now)


def _there(now_is: Standing, answer: PayAnswer, now: datetime) -> Next:
    """The provider has taken the money for it."""
    fresh = {"doubt": False, "barred": False}
    resumes = answer.finding == "accepted"
    if answer.finding in ("received", "returned"):
        state: State = "received" if answer.finding == "received" else "refunded"
        standing = now_is.model_copy(update=fresh | {"state": state, "step": "", "tries": 0})
        return Next(standing=standing, due_at=None, why=answer.code, alternate=state == "refunded")
    if now_is.state != "sent":
        standing = now_is.model_copy(update=fresh | {"state": "sent", "step": "query", "tries": 0, "since": now})
        return Next(standing=standing, due_at=now + LOOK_AFTER[0], why=answer.code, resumes=resumes)
    return _look_again(now_is.model_copy(update=fresh), answer, now)


def _look_again(now_is: Standing, answer: PayAnswer, now: datetime) -> Next:
    """It was sent; whether it was opened is not known yet. After a month nobody can tell any more."""
    standing = now_is.model_copy(update={"step": "query", "tries": now_is.tries + 1})
    over = is_too_old(now_is.since, now)
    wait = LOOK_AFTER[standing.tries] if standing.tries < len(LOOK_AFTER) else A_DAY / 2
    if over:
        standing = standing.model_copy(update={"step": ""})
    overdue = now >= now_is.since + OVERDUE
    return Next(standing=standing, due_at=None if over else now + wait, why=answer.code, show=overdue)


def _ended(now_is: Standing, answer: PayAnswer) -> Next:
    """A definite end of this number. A person whom risk control refuses is not tried under another one."""
    standing = now_is.model_copy(update={"state": "failed", "step": "", "doubt": False})
    again = not now_is.barred and now_is.attempt < ATTEMPTS
    return Next(standing=standing, due_at=None, why=answer.code, again=again, alternate=not again)


def _unknown(now_is: Standing, answer: PayAnswer, now: datetime) -> Next:
    """Nobody knows. What is not found may still land: the same number is sent again; all else is asked about. What is
    SENDING for more than a day was refused at some time, and is sent again, too.
    """
    if now_is.state == "sent":
        return _look_again(now_is, answer, now)
    barred = now_is.barred or answer.finding == "barred"
    tries = now_is.tries + 1
    stuck = answer.finding == "under_way" and not barred and now >= now_is.since + A_DAY
    step: Step = "send" if answer.finding == "not_found" or stuck else "query"
    wait = ASK_AFTER[tries - 1] if tries <= len(ASK_AFTER) else A_DAY
    if answer.finding in ("barred", "under_way"):
        wait = max(wait, timedelta(minutes=30))
    changed = {"state": "unknown", "step": step, "tries": tries, "doubt": True, "barred": barred}
    standing = now_is.model_copy(update=changed)
    if step == "send" and tries <= len(ASK_AFTER):
        wait = min(wait, timedelta(minutes=1))
    why = "NO_AUTH" if barred else answer.code
    if is_too_old(now_is.since, now):  # a query can find nothing any more, and a sending could pay a second time
        return Next(standing=standing.model_copy(update={"step": ""}), due_at=None, why=why, show=True)
    return Next(standing=standing, due_at=now + wait, why=why, show=tries > len(ASK_AFTER))


def _paused(now_is: Standing, answer: PayAnswer, now: datetime) -> Next:
    """Nothing goes out any more until somebody has done something; this one tries whether it works again."""
    pause: Pause = "no_money" if answer.finding == "no_money" else "setup" if answer.finding == "setup" else "conflict"
    if pause == "conflict" or answer.code in ONLY_THIS:
        standing = now_is.model_copy(update={"state": _open(now_is), "step": ""})
        return Next(standing=standing, due_at=None, why=answer.code, show=True, pause=pause)
    wait = PROBE_NO_MONEY if pause == "no_money" else PROBE_SETUP
    standing = now_is.model_copy(update={"state": _open(now_is)})
    return Next(standing=standing, due_at=now + wait, why=answer.code, pause=pause)


def _waits(now_is: Standing, answer: PayAnswer, now: datetime) -> Next:
    """Too many, today or just now: the same number later."""
    tries = now_is.tries + 1
    standing = now_is.model_copy(update={"state": _open(now_is), "tries": tries})
    if answer.finding == "tomorrow":
        return Next(standing=standing, due_at=tomorrow(now), why=answer.code, show=tries > 7)
    wait = SLOW_DOWN[min(tries, len(SLOW_DOWN)) - 1]
    return Next(standing=standing, due_at=now + wait, why=answer.code, show=tries > 50)


def _open(now_is: Standing) -> State:
    """What a payout is that waits: planned, unless an earlier outcome of its number is still in doubt."""
    if now_is.state == "sent":
        return "sent"
    return "unknown" if now_is.doubt else "planned"


def is_too_old(since: datetime, now: datetime) -> bool:
    """Whether a number was first used so long ago that the provider may not know it any more: with an outcome in
    doubt, to send it again could pay it again.
    """
    return now >= since + LISTED_FOR


def tomorrow(now: datetime) -> datetime:
    """When the daily limits begin anew, a little after midnight in Beijing."""
    return next_time_of_day(time(0, 10), now)


def day_of(moment: datetime) -> str:
    """The day whose limits a call at this moment counts for: `2026-11-27`, in Beijing."""
    return moment.astimezone(BEIJING).date().isoformat()

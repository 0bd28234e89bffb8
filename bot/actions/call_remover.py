"""The company's own program is told of somebody to be taken out of a group: one signed POST. The roster decides.

Headers: `X-Steward-Timestamp` (Unix seconds), `X-Steward-Signature` (hex HMAC-SHA256 of `timestamp.body` under
STEWARD_WEBHOOK_SECRET), `Idempotency-Key` (the same for every try). Any 2xx is "accepted", and proves nothing.
"""

import asyncio
import hashlib
import hmac
import json
from datetime import datetime, timedelta

import httpx2
from loguru import logger

from bot.actions.action import Hands
from rules.actions import CallRemover
from store import history, removal
from store.database import Tx
from wecom.errors import NOT_SENT, PlatformError, Treatment
from wecom.gateway import TIMEOUT, WHOLE_CALL, is_loopback

REPEATABLE = True  # the idempotency key is the case's


class RemoverFailed(PlatformError):  # noqa: N818 - says what happened
    """The program did not accept the call. `hint` in Chinese, without the address: that may hold a secret."""

    def __init__(self, hint: str, treatment: Treatment) -> None:
        super().__init__(NOT_SENT, "webhook", treatment=treatment, retry_after=timedelta(seconds=5))
        self.hint = hint
        self.args = (f"webhook: {hint}",)


async def is_wanted(deed: CallRemover, tx: Tx) -> bool:
    """Not once people are asked instead, nor when it is done."""
    case = await history.case(tx, deed.case_id)
    return case is not None and case.open_key is not None and case.step == "ask"


async def carry_out(deed: CallRemover, hands: Hands) -> int:
    """The status that it answered with, a 2xx."""
    if not hands.webhook_secret:
        raise RemoverFailed("没有设置 STEWARD_WEBHOOK_SECRET，所以没有通知公司的程序", "refused")
    if hands.loopback_only and not is_loopback(deed.url):
        raise RemoverFailed("演示和测试只许访问本机", "refused")
    body = _body(deed)
    timestamp = str(int(hands.clock.now().timestamp()))
    headers = {
        "content-type": "application/json",
        "x-steward-timestamp": timestamp,
        "x-steward-signature": sign(hands.webhook_secret, timestamp, body),
        "idempotency-key": f"removal-case-{deed.case_id}",
    }
    status = await _status(hands.client, deed.url, body, headers)
    if status is None:
        raise RemoverFailed("公司的程序没有回答", "retry")
    if not 200 <= status < 300:
        again = status >= 500 or status in (408, 425, 429)
        raise RemoverFailed(f"公司的程序没有接受（HTTP {status}）", "retry" if again else "refused")
    return status


def _body(deed: CallRemover) -> bytes:
    """Depends on the deed alone: every try says the same."""
    said = {
        "case": deed.case_id,
        "chat_id": deed.chat_id,
        "group": deed.group,
        "external_userid": deed.external_userid,
        "name": deed.name,
        "requested_at": deed.requested_at.isoformat(),
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """What the receiver computes, and compares in constant time."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


async def _status(client: httpx2.AsyncClient, url: str, body: bytes, headers: dict[str, str]) -> int | None:
    """None where no answer came. What the answer says is not read."""
    try:
        async with (
            asyncio.timeout(WHOLE_CALL),
            client.stream(
                "POST", url, content=body, headers=headers, timeout=TIMEOUT, follow_redirects=False
            ) as answer,
        ):
            return answer.status_code
    except (httpx2.HTTPError, TimeoutError):
        return None


async def record(deed: CallRemover, result: int, tx: Tx, now: datetime) -> None:
    """Nothing follows: the roster shows it, or people are asked when the wait is over."""
    logger.info("case #{}: the company's own program accepted the call (HTTP {})", deed.case_id, result)


async def give_up(deed: CallRemover, error: PlatformError, tx: Tx, now: datetime) -> None:
    """People are asked at once."""
    logger.warning("case #{}: {}; people are asked instead", deed.case_id, error)
    case = await removal.case(tx, deed.case_id)
    if case is not None and case.open_key and case.step == "ask":
        case.step_due_at = now

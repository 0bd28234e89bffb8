"""`POST /ingest/messages`: messages of customer groups, from a program that may read them (docs/messages.md).

Closed until STEWARD_INGEST_SECRET is set. A batch is answered 200 only after all of it that is good is on disk.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from loguru import logger
from starlette.requests import ClientDisconnect

from bot.metrics import Metrics
from bot.pages.messages import BadBatch, BadItem, TooMany, msgid_of, read_batch, read_item
from bot.refusals import RefusalLog
from rules.clock import Clock
from rules.lanes import NORMAL
from store.database import Clash, Database, StoreUnavailable
from store.inbox_batch import ToPut, put_many

PATH = "/ingest/messages"
MOST_BYTES = 4 * 1024 * 1024
MAX_AGE = 300  # seconds, either way: clocks differ

_TRIES = 3  # where two transactions stood in each other's way


class Refused(Exception):  # noqa: N818  # says what happened
    """The whole request is refused. `cause` is a label of a metric, `why` is for whoever wrote the sender."""

    def __init__(self, status: int, cause: str, why: str) -> None:
        self.status, self.cause, self.why = status, cause, why
        super().__init__(why)


@dataclass(frozen=True)
class Intake:
    """What the route works with. `secret` None: it is closed. `wake`: there is work."""

    store: Database
    clock: Clock
    metrics: Metrics
    wake: Callable[[], None]
    secret: str | None
    log: RefusalLog = field(default_factory=lambda: RefusalLog(PATH))


def ingest_messages(intake: Intake) -> APIRouter:
    """The route."""
    router = APIRouter()

    @router.post(PATH)
    async def post(request: Request) -> Response:
        now, peer = intake.clock.now(), request.client.host if request.client else "unknown"
        try:
            body = await _read_signed(request, intake.secret, now)
            answer = await _take(intake, body, now)
        except Refused as refused:
            intake.metrics.ingest_refused(refused.cause)
            intake.log.say(refused.cause, refused.status, "POST", peer, now)
            headers = {"retry-after": "5"} if refused.status == 503 else None
            return JSONResponse({"error": refused.why}, refused.status, headers)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        if answer["refused"]:
            intake.log.say("items", 200, "POST", peer, now)
        return JSONResponse(answer)

    return router


# --- who sends --------------------------------------------------------------------------------------------------------


async def _read_signed(request: Request, secret: str | None, now: datetime) -> bytes:
    """The body, if it is signed. What can be refused unread is. Raises Refused."""
    if not secret:
        raise Refused(404, "off", "no message source is set up here: STEWARD_INGEST_SECRET is not set")
    timestamp = request.headers.get("x-steward-timestamp", "")
    signature = request.headers.get("x-steward-signature", "")
    if not timestamp or not signature:
        raise Refused(403, "unsigned", "X-Steward-Timestamp and X-Steward-Signature are needed")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise Refused(403, "age", "X-Steward-Timestamp must be seconds since 1970, in digits")
    if abs(now.timestamp() - int(timestamp)) > MAX_AGE:
        raise Refused(403, "age", f"X-Steward-Timestamp is more than {MAX_AGE} s away from our clock")
    body = await _read(request)
    if not hmac.compare_digest(sign(secret, timestamp, body), signature.encode()):
        raise Refused(
            403, "signature", "X-Steward-Signature is wrong: is it made over this very body, with our secret?"
        )
    return body


def sign(secret: str, timestamp: str, body: bytes) -> bytes:
    """What X-Steward-Signature must say."""
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={signed.hexdigest()}".encode()


async def _read(request: Request) -> bytes:
    too_large = Refused(413, "size", f"more than {MOST_BYTES} bytes: send the messages in several calls")
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MOST_BYTES:
        raise too_large
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BYTES:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)


# --- what they send ---------------------------------------------------------------------------------------------------


async def _take(intake: Intake, body: bytes, now: datetime) -> Mapping[str, Any]:
    """Keep what is good of a batch, and say what is not. Raises Refused: nothing was kept, as far as we know."""
    try:
        items = read_batch(body)
    except TooMany as error:
        raise Refused(413, "size", str(error)) from None
    except BadBatch as error:
        raise Refused(400, "json", str(error)) from None
    good: list[ToPut] = []
    refused: list[Mapping[str, Any]] = []
    for index, item in enumerate(items):
        try:
            message = read_item(item, now)
        except BadItem as error:
            refused.append({"index": index, "msgid": msgid_of(item), "error": str(error)})
        else:
            good.append(ToPut(f"msg:{message.msgid}", message, f"messages:{message.chat_id}"))
    accepted = await _keep(intake, good, now)
    doubled = len(good) - accepted
    intake.metrics.messages(accepted=accepted, doubled=doubled, refused=len(refused))
    return {"accepted": accepted, "doubled": doubled, "refused": refused}


async def _keep(intake: Intake, good: list[ToPut], now: datetime) -> int:
    """How many are new. All of them are on disk, or Refused is raised."""
    if not good:
        return 0
    error: Exception | None = None
    for _ in range(_TRIES):
        try:
            async with intake.store.write() as tx:
                accepted = await put_many(tx, good, source="ingest", lane=NORMAL, now=now)
        except Clash as clash:
            error = clash
        except StoreUnavailable as unavailable:
            error = unavailable
            break
        else:
            intake.wake()
            return accepted
    logger.error("the database is not available for messages: {}", error)
    raise Refused(503, "store", "the messages could not be written down: send them again")

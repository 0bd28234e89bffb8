"""What the pages of draws and check-ins share: anybody may open them, so how often is limited, and all are answered."""

from collections.abc import Awaitable, Callable

from fastapi import Request
from fastapi.responses import Response
from loguru import logger

from bot.pages.network import network
from bot.pages.page import Refused, apologise
from bot.pages.throttle import Throttle
from store.database import StoreUnavailable


async def apologised(
    crowd: Throttle, request: Request, work: Callable[[], Awaitable[Response]], about: str
) -> Response:
    """What `work` answers; if there is no page, why. `crowd`: how often one network may ask. `about`: for the log."""
    try:
        if not crowd.allows(network(request)):
            raise Refused(429, "crowded")
        return await work()
    except Refused as refused:
        return apologise(refused)
    except StoreUnavailable as error:
        logger.error("the database is not available for {}: {}", about, error)
        return apologise(Refused(503, "away"))

"""The platform's QR pictures, fetched once and read: what our pages show is drawn anew from what they say.

So no page of ours loads anything from another host, a picture that says nothing is noticed before anybody stands in
front of it, and any number of processes draws the same one. See docs/decisions for why they are not passed through.
"""

import io
from collections import OrderedDict
from dataclasses import dataclass

import httpx2
from loguru import logger
from PIL import Image, UnidentifiedImageError

from bot import qr
from wecom.gateway import is_loopback

TIMEOUT = httpx2.Timeout(connect=2, read=3, write=2, pool=2)  # seconds; somebody is waiting
MOST_BYTES = 1 << 20
MOST_PIXELS = 4096  # along one side
MOST_KEPT = 2000  # pictures, of some KB


@dataclass(frozen=True)
class Taken:
    """A picture. `text`: what its code says, "" where it could not be read here; then it is passed on as it is."""

    url: str
    text: str
    content: bytes


class Pictures:
    """What was fetched last, by address; an address never gets another picture. `loopback_only`: from here only."""

    def __init__(self, client: httpx2.AsyncClient, *, loopback_only: bool = False) -> None:
        self._client = client
        self._loopback_only = loopback_only
        self._kept: OrderedDict[str, Taken] = OrderedDict()

    async def take(self, url: str) -> Taken | None:
        """The picture at this address of the platform's; None where there is none to be had now, which is logged."""
        if url not in self._kept:
            taken = await self._fetch(url)
            if taken is None:
                return None
            self._kept[url] = taken
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(url)
        return self._kept[url]

    async def _fetch(self, url: str) -> Taken | None:
        if not url.startswith(("http://", "https://")) or (self._loopback_only and not is_loopback(url)):
            logger.error("a code's picture has an address that is not asked")
            return None
        try:
            async with self._client.stream("GET", url, timeout=TIMEOUT) as answer:
                content = b""
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > MOST_BYTES:
                        break
        except httpx2.HTTPError as error:
            logger.warning("a code's picture cannot be fetched: {}", type(error).__name__)
            return None
        if answer.status_code != 200 or len(content) > MOST_BYTES:
            logger.warning("a code's picture cannot be fetched: {} with {} bytes", answer.status_code, len(content))
            return None
        return _read(url, content)


def _read(url: str, content: bytes) -> Taken | None:
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP", "GIF")) as picture:
            said = qr.read(picture) if max(picture.size) <= MOST_PIXELS else []
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        logger.warning("a code's picture is no picture")
        return None
    if len(said) != 1:
        logger.warning("a code's picture cannot be read here and is shown as it is")
        return Taken(url, "", content)
    return Taken(url, said[0], b"")

"""The pictures of entrances: `/e/{name}/qr.png`, `.svg`, and the card for parcels; and codes that one visitor is shown.
`/e/{name}/direct.png`, `.svg`: WeCom's own code behind it, for posters that should need no page of ours.

What an entrance's code says never changes, so its pictures may be kept by whoever has them. `/code/{token}.png` draws
what a page of ours has signed, and nothing else: nobody gets codes to other places from our address.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response
from loguru import logger
from starlette.exceptions import HTTPException

from bot import parcel_card, qr
from bot.config.logos import logo_path
from bot.pages.network import network
from bot.pages.page import Desk
from bot.pictures import Pictures, Taken
from rules.entrances import Entrance
from store import join_ways

SIZES = (240, 360, 480, 720, 960, 1200, 1800, 2400, 3600)
"""In pixels. What is asked for is rounded up, so that nobody has a thousand pictures drawn."""

NAMED = {"screen": 480, "print": 1800, "poster": 3600}
ON_A_PAGE = 720  # pixels: 240 on a phone that shows three for one
CHANNEL = re.compile(r"[0-9A-Za-z_.-]{1,40}")
MOST_KEPT = 64  # pictures, of 100 KB at most
FRESH = "public, max-age=3600"
PNG, SVG = "image/png", "image/svg+xml"


def channel_of(request: Request) -> str:
    """Where the code hung, as its address says (`?from=…`); "" where it does not, or says nonsense."""
    said = request.query_params.get("from", "")
    return said if CHANNEL.fullmatch(said) else ""


class Gallery:
    """Draws in a thread, and keeps what was wanted last. `folder`: where the config is, and logos beside it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._logos: dict[str, tuple[tuple[int, int], qr.Logo | None]] = {}
        self._told: set[str] = set()

    def has(self, tag: str) -> bool:
        return tag in self._kept

    async def picture(self, tag: str, draw: Callable[[], bytes]) -> bytes:
        """What is kept under `tag`, else what `draw` makes now."""
        if tag not in self._kept:
            self._kept[tag] = await asyncio.to_thread(draw)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(tag)
        return self._kept[tag]

    async def code(self, entrance: Entrance, text: str) -> qr.Code:
        """A code with the entrance's logo; without it where that cannot be used, which is logged once."""
        if not entrance.logo:
            return qr.Code(text)
        try:
            code = qr.Code(text, await asyncio.to_thread(self._logo, entrance.logo))
            await self.picture(f"{code.digest}-{SIZES[2]}.png", lambda: qr.png(code, SIZES[2]))
        except (qr.LogoError, qr.UnreadableError) as error:
            if entrance.logo not in self._told:
                self._told.add(entrance.logo)
                logger.warning("the logo of {} is left out: {}", entrance.name, error)
            return qr.Code(text)
        return code

    def _logo(self, name: str) -> qr.Logo | None:
        """Read again when the file has changed. Raises qr.LogoError."""
        path = logo_path(self._folder, name)
        try:
            looks = path.stat()
        except OSError:
            return qr.read_logo(path)  # which says why
        seen = (looks.st_mtime_ns, looks.st_size)
        if name not in self._logos or self._logos[name][0] != seen:
            self._logos[name] = (seen, qr.read_logo(path))
            self._told.discard(name)
        return self._logos[name][1]


def shown(desk: Desk, taken: Taken) -> str:
    """The address, below /code/, of a picture of the platform's as we show it."""
    said: list[str | int] = ["says", taken.text] if taken.text else ["is", taken.url]
    return f"{desk.links.seal('code', said)}.png"


def codes_page(desk: Desk, gallery: Gallery, pictures: Pictures) -> APIRouter:
    """The pictures. An entrance that the config does not have is 404: its poster would be for nothing."""
    router = APIRouter()

    @router.get("/e/{name}/qr.png")
    async def qr_png(request: Request, name: str, size: str = "screen") -> Response:
        _, code = await _coded(desk, gallery, request, name)
        pixels = _pixels(size)
        tag = f"{code.digest}-{pixels}.png"
        return await _answer(desk, gallery, request, tag, lambda: qr.png(code, pixels))

    @router.get("/e/{name}/qr.svg")
    async def qr_svg(request: Request, name: str) -> Response:
        _, code = await _coded(desk, gallery, request, name)
        return await _answer(desk, gallery, request, f"{code.digest}.svg", lambda: qr.svg(code).encode())

    @router.get("/e/{name}/direct.png")
    async def direct_png(request: Request, name: str, size: str = "screen") -> Response:
        code, pixels = await _direct(desk, gallery, pictures, name), _pixels(size)
        tag = f"{code.digest}-{pixels}.png"
        return await _answer(desk, gallery, request, tag, lambda: qr.png(code, pixels))

    @router.get("/e/{name}/direct.svg")
    async def direct_svg(request: Request, name: str) -> Response:
        code = await _direct(desk, gallery, pictures, name)
        return await _answer(desk, gallery, request, f"{code.digest}.svg", lambda: qr.svg(code).encode())

    @router.get("/e/{name}/card.svg")
    async def card_svg(request: Request, name: str) -> Response:
        card = _card(*await _coded(desk, gallery, request, name))
        return await _answer(desk, gallery, request, f"{card.digest}.card.svg", lambda: parcel_card.svg(card).encode())

    @router.get("/e/{name}/card.png")
    async def card_png(request: Request, name: str) -> Response:
        card = _card(*await _coded(desk, gallery, request, name))
        try:
            font = parcel_card.font_file()
        except parcel_card.NoFontError:
            text = "这台服务器上没有中文字体，画不了图片：请用 card.svg，或安装 fonts-noto-cjk。"
            return Response(text, 503, media_type="text/plain")
        return await _answer(desk, gallery, request, f"{card.digest}.card.png", lambda: parcel_card.png(card, font))

    return router


def shown_codes(desk: Desk, gallery: Gallery, pictures: Pictures) -> APIRouter:
    """Codes that one visitor is shown; only what a page of ours has signed."""
    router = APIRouter()

    @router.get("/code/{token}.png")
    async def code_png(token: str) -> Response:
        match desk.links.unseal("code", token):
            case ["says", str(text)]:
                content = await gallery.picture(f"code-{token}", lambda: qr.png(qr.Code(text, level="m"), ON_A_PAGE))
            case ["is", str(url)] if (taken := await pictures.take(url)) is not None:
                content = taken.content
            case _:
                raise HTTPException(404)
        return Response(content, media_type=PNG, headers={"cache-control": "private, max-age=86400, immutable"})

    return router


async def _coded(desk: Desk, gallery: Gallery, request: Request, name: str) -> tuple[Entrance, qr.Code]:
    """The entrance and its code. Raises HTTPException."""
    entrance = desk.rules.book.entrance(name)
    if entrance is None:
        raise HTTPException(404)
    channel = channel_of(request)
    url = f"{desk.links.public_url}/e/{entrance.name}" + (f"?from={channel}" if channel else "")
    return entrance, await gallery.code(entrance, url)


async def _direct(desk: Desk, gallery: Gallery, pictures: Pictures, name: str) -> qr.Code:
    """WeCom's own code of a native or contact entrance, with the brand's logo. Raises HTTPException."""
    entrance = desk.rules.book.entrance(name)
    if entrance is None or entrance.via == "page":
        raise HTTPException(404)
    async with desk.store.read() as tx:
        way = await join_ways.of_entrance(tx, name, entrance.via)
    taken = await pictures.take(way.qr_code) if way is not None and way.qr_code else None
    if taken is None or not taken.text:
        raise HTTPException(503, headers={"retry-after": "60"})
    return await gallery.code(entrance, taken.text)


async def _answer(desk: Desk, gallery: Gallery, request: Request, tag: str, draw: Callable[[], bytes]) -> Response:
    """The picture, or that the asker's is still good. Only drawing a new one is counted. Raises HTTPException."""
    headers = {"etag": f'"{tag}"', "cache-control": FRESH}
    if f'"{tag}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if not gallery.has(tag) and not desk.strangers.allows(f"draw:{network(request)}"):
        raise HTTPException(429)
    try:
        content = await gallery.picture(tag, draw)
    except qr.UnreadableError as error:
        return Response(f"{error}。", 400, media_type="text/plain")
    return Response(content, media_type=PNG if tag.endswith(".png") else SVG, headers=headers)


def _pixels(size: str) -> int:
    """`screen`, `print`, `poster`, or pixels. Raises HTTPException."""
    wanted = NAMED.get(size) or (int(size) if size.isascii() and size.isdigit() and len(size) < 6 else 0)
    if not wanted:
        raise HTTPException(400)
    return next((each for each in SIZES if each >= wanted), SIZES[-1])


def _card(entrance: Entrance, code: qr.Code) -> parcel_card.Card:
    return parcel_card.Card(code, entrance.title, entrance.card_text)

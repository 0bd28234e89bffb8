"""A picture that somebody sends with a form: made small, and without what the phone wrote into it (place, device)."""

import asyncio
import hashlib
import io
from typing import NamedTuple

from fastapi import Request
from PIL import Image, ImageOps, UnidentifiedImageError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from bot.pages.page import Refused

MOST_BYTES = 12 << 20
"""Of a form with a picture: more than a phone's camera makes."""
_MOST_PIXELS = 60_000_000
_SIDE = 1280  # pixels
_FORMATS = ("JPEG", "PNG", "WEBP")


class Photo(NamedTuple):
    """`jpeg`: what is kept; `digest`: hex, of that."""

    digest: str
    jpeg: bytes


async def read_upload(request: Request) -> tuple[dict[str, list[str]], Photo | None]:
    """The fields of a form that may bring one picture, called `picture`, and the picture; None: none was chosen. Who
    sent it has still to be looked at. Raises Refused.
    """
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit()) or int(length) > MOST_BYTES:
        raise Refused(413, "too_big")
    try:
        form = await request.form(max_files=1, max_fields=20)
    except HTTPException:
        raise Refused(400, "foreign") from None
    try:
        fields = {key: [value] for key, value in form.items() if isinstance(value, str)}
        return fields, await _photo(form)
    finally:
        await form.close()


async def _photo(form: FormData) -> Photo | None:
    sent = form.get("picture")
    if not isinstance(sent, UploadFile) or not sent.size:
        return None
    return await asyncio.to_thread(_made_small, await sent.read())


def _made_small(content: bytes) -> Photo:
    """Turned upright, at most 1280 pixels along a side, nothing but its pixels. Raises Refused."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise Refused(413, "too_big")
            picture.draft("RGB", (2 * _SIDE, 2 * _SIDE))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise Refused(415, "no_picture") from None
    upright.thumbnail((_SIDE, _SIDE))
    made = io.BytesIO()
    plain = Image.new("RGB", upright.size)
    plain.paste(upright)
    plain.save(made, "JPEG", quality=80)
    return Photo(hashlib.sha256(made.getvalue()).hexdigest()[:32], made.getvalue())

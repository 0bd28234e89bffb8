"""A picture that is sent with a form: what is kept of it, and what is refused."""

import io
from typing import Any

import pytest
from fastapi import Request
from PIL import Image

from bot.pages.page import Refused
from bot.pages.uploads import MOST_BYTES, Photo, read_upload

BOUNDARY = "steward"


def photo_of(width: int, height: int, kind: str = "JPEG") -> bytes:
    """A picture lying on its side, into which the phone wrote where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by a quarter
    exif.get_ifd(0x8825)[1] = "N"
    made = io.BytesIO()
    Image.new("RGB", (width, height), "green").save(made, kind, exif=exif)
    return made.getvalue()


async def sent(content: bytes, *, length: str | None = None) -> tuple[dict[str, list[str]], Photo | None]:
    """What a form with a field and this file comes to."""
    parts = (
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="act"\r\n\r\ntap\r\n'
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="picture"; filename="a.jpg"\r\n'
        "content-type: image/jpeg\r\n\r\n"
    ).encode()
    body = parts + content + f"\r\n--{BOUNDARY}--\r\n".encode()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [
        (b"content-type", f"multipart/form-data; boundary={BOUNDARY}".encode()),
        (b"content-length", (length if length is not None else str(len(body))).encode()),
    ]
    return await read_upload(Request({"type": "http", "method": "POST", "headers": headers}, receive))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_what_is_kept(kind: str) -> None:
    """Small, upright, and without what the phone wrote into it; the same picture is the same digest."""
    form, photo = await sent(photo_of(3000, 1500, kind))
    assert form == {"act": ["tap"]}
    assert photo is not None
    with Image.open(io.BytesIO(photo.jpeg)) as kept:
        assert (kept.format, kept.size, dict(kept.getexif())) == ("JPEG", (640, 1280), {})
    assert (await sent(photo_of(3000, 1500, kind)))[1] == photo


@pytest.mark.parametrize(
    ("content", "length", "why"),
    [
        (b"not a picture", None, "no_picture"),
        (photo_of(400, 300)[:200], None, "no_picture"),
        (photo_of(9000, 8000, "PNG"), None, "too_big"),
        (b"x", str(MOST_BYTES + 1), "too_big"),
        (b"x", "", "too_big"),
    ],
)
async def test_what_is_refused(content: bytes, length: str | None, why: str) -> None:
    """What is no picture, has too many pixels, or is too long or of a length that nobody says, is refused."""
    with pytest.raises(Refused) as refused:
        await sent(content, length=length)
    assert refused.value.why == why


async def test_no_picture_chosen() -> None:
    """A form whose file was left empty brings its fields, and none."""
    assert await sent(b"") == ({"act": ["tap"]}, None)

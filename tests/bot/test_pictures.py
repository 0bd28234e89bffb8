"""The platform's pictures: fetched once, read, and refused where they are none."""

from collections.abc import AsyncIterator, Callable

import httpx2
import pytest
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bot import qr
from bot.pictures import Pictures

URL = "http://127.0.0.1/wwhead/abc"
CODE = qr.png(qr.Code("https://work.weixin.qq.com/gm/abc"), 480)


class Host:
    """Where pictures are. `answer`: what everybody gets; `asked`: how often."""

    def __init__(self) -> None:
        self.answer: Callable[[], Response] = lambda: Response(CODE, media_type="image/png")
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        response: ASGIApp = self.answer()
        await response(Request(scope).scope, receive, send)


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
async def pictures(host: Host) -> AsyncIterator[Pictures]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=host)) as client:
        yield Pictures(client, loopback_only=True)


async def test_a_picture_is_fetched_once_and_read(host: Host, pictures: Pictures) -> None:
    """Asked for again it is there; what is kept is what its code says."""
    for _ in range(3):
        taken = await pictures.take(URL)
        assert taken is not None
        assert (taken.text, taken.content) == ("https://work.weixin.qq.com/gm/abc", b"")
    assert host.asked == 1


async def test_a_picture_that_cannot_be_read_is_kept_as_it_is(host: Host, pictures: Pictures) -> None:
    """It is a picture, only not one that we can read: then its bytes are passed on."""
    made = Image.new("RGB", (100, 100), "green")
    import io

    plain = io.BytesIO()
    made.save(plain, "PNG")
    host.answer = lambda: Response(plain.getvalue(), media_type="image/png")
    taken = await pictures.take(URL)
    assert taken is not None
    assert (taken.text, taken.content) == ("", plain.getvalue())


@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=404),
        Response(b"<html>busy</html>", media_type="text/html"),
        Response(b""),
        Response(b"x" * (1 << 20) + b"x"),
        Response(CODE[:200]),
    ],
)
async def test_what_is_no_picture_is_asked_for_again(host: Host, pictures: Pictures, answer: Response) -> None:
    """Errors, pages, nothing, too much, and half a picture: there is none now, and none is remembered."""
    host.answer = lambda: answer
    assert await pictures.take(URL) is None
    host.answer = lambda: Response(CODE)
    assert await pictures.take(URL) is not None


@pytest.mark.parametrize("url", ["https://p.qpic.cn/wwhead/abc", "file:///etc/passwd", "", "//host/x"])
async def test_only_this_machine_is_asked(host: Host, pictures: Pictures, url: str) -> None:
    """In tests and the demo nothing is fetched from anywhere else; nothing but the web is asked, ever."""
    assert await pictures.take(url) is None
    assert host.asked == 0

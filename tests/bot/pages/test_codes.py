"""The pictures of entrances over HTTP: what they say, that they may be kept, and what is refused."""

import io
from pathlib import Path

import httpx2
import pytest
from PIL import Image

from bot import qr
from rules.book import Book
from tests.life.conftest import Life, StartLife

BOOK = Book.model_validate(
    {
        "groups": {"members": "会员*"},
        "entrances": [{"name": "green-door", "title": "绿茶会员群", "groups": "members"}],
    }
)
ADDRESS = "http://127.0.0.1/e/green-door"


def said(answer: httpx2.Response) -> list[str]:
    """What the code in a picture says."""
    return qr.read(Image.open(io.BytesIO(answer.content)))


async def get(life: Life, path: str, **headers: str) -> httpx2.Response:
    return await life.browser.get(f"http://bot{path}", headers=headers)


@pytest.mark.parametrize(
    ("query", "width"),
    [("", 480), ("?size=print", 1800), ("?size=poster", 3600), ("?size=300", 360), ("?size=99999", 3600)],
)
async def test_the_code_says_the_address_at_every_size(start_life: StartLife, query: str, width: int) -> None:
    """A PNG that encodes our own address of the entrance; odd sizes are rounded up to one of ours."""
    async with start_life(BOOK) as life:
        answer = await get(life, f"/e/green-door/qr.png{query}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        assert Image.open(io.BytesIO(answer.content)).width == width
        assert said(answer) == [ADDRESS]


async def test_the_channel_is_in_the_code(start_life: StartLife) -> None:
    """`?from=` goes into the code, unless it is nonsense."""
    async with start_life(BOOK) as life:
        assert said(await get(life, "/e/green-door/qr.png?from=shop-12")) == [f"{ADDRESS}?from=shop-12"]
        for nonsense in ("a b", "<script>", "x" * 41, ""):
            query = httpx2.QueryParams({"from": nonsense})
            assert said(await get(life, f"/e/green-door/qr.png?{query}")) == [ADDRESS]


async def test_pictures_may_be_kept(start_life: StartLife) -> None:
    """Each has a tag of its own; whoever has the picture is told so, without a new drawing."""
    async with start_life(BOOK) as life:
        tags = set()
        for path in ("qr.png", "qr.png?size=print", "qr.png?from=a", "qr.svg", "card.svg"):
            answer = await get(life, f"/e/green-door/{path}")
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "public, max-age=3600"
            tags.add(answer.headers["etag"])
            again = await get(life, f"/e/green-door/{path}", **{"if-none-match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
        assert len(tags) == 5


async def test_a_card_has_the_title(start_life: StartLife) -> None:
    """The card for parcels names whose group it is and what to do."""
    async with start_life(BOOK) as life:
        card = await get(life, "/e/green-door/card.svg")
        assert card.headers["content-type"].startswith("image/svg+xml")
        assert "绿茶会员群" in card.text
        assert "微信扫一扫" in card.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/e/no-such-door/qr.png", 404),
        ("/e/no-such-door/card.svg", 404),
        ("/e/green-door/qr.png?size=huge", 400),
        ("/e/green-door/qr.png?size=-5", 400),
        ("/code/forged.png", 404),
    ],
)
async def test_what_is_refused(start_life: StartLife, path: str, status: int) -> None:
    """Entrances that are not in the config, sizes that are none, and codes that we did not sign."""
    async with start_life(BOOK) as life:
        assert (await get(life, path)).status_code == status


async def test_only_drawing_is_limited(start_life: StartLife) -> None:
    """Whoever has picture after picture drawn is stopped; what was drawn already is served to them all the same."""
    async with start_life(BOOK) as life:
        answers = [(await get(life, f"/e/green-door/qr.png?from=c{n}&size=240")).status_code for n in range(40)]
        assert answers.count(429) == 10
        assert (await get(life, "/e/green-door/qr.png?from=c0&size=240")).status_code == 200


async def test_a_code_of_the_platform_is_drawn_anew(start_life: StartLife) -> None:
    """What we signed is drawn, and says what the platform's own picture said."""
    async with start_life(BOOK) as life:
        token = life.bot.worker.hands.links.seal("code", ["says", "https://work.weixin.qq.com/gm/abc"])
        answer = await get(life, f"/code/{token}.png")
        assert said(answer) == ["https://work.weixin.qq.com/gm/abc"]
        assert answer.headers["cache-control"].startswith("private")


async def test_a_bad_logo_does_not_cost_the_code(start_life: StartLife, lines: list[str]) -> None:
    """A running bot shows the code without it, and says so once."""
    entrance = {"name": "green-door", "groups": "members", "logo": "no/such.png"}
    book = Book.model_validate({"groups": {"members": "会员*"}, "entrances": [entrance]})
    async with start_life(book) as life:
        for _ in range(2):
            assert said(await get(life, "/e/green-door/qr.png")) == [ADDRESS]
        assert len([line for line in lines if "the logo of green-door is left out" in line]) == 1


def test_check_refuses_a_bad_logo(tmp_path: Path) -> None:
    """`steward check` names the line, and says what to do about it."""
    from bot.config.check import look_at

    qr.draw(qr.Code("https://elsewhere.example"), 512).save(tmp_path / "code.png")
    Image.new("RGB", (200, 200), "green").save(tmp_path / "good.png")
    names = ("no-such.png", "../logo.png", "code.png", "good.png")
    doors = "".join(f"  - {{name: door-{n}, groups: members, logo: {name}}}\n" for n, name in enumerate(names))
    config = tmp_path / "config.yaml"
    config.write_text(f"groups: {{members: 会员*}}\nentrances:\n{doors}", encoding="utf-8")
    problems = [each for each in look_at(config).problems if "logo" in each.path]
    assert [(each.line, each.kind) for each in problems] == [(3, "error"), (4, "error"), (5, "error")]
    for problem, words in zip(problems, ("打不开", "不在设置文件的文件夹里", "手机认不出"), strict=True):
        assert words in problem.reason

"""QR codes with a logo: they can be read, whatever their size; what cannot be read is not served."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from bot import parcel_card, qr

URL = "https://brand.example/e/vip-tea?from=shop-12"


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    """A red rectangle with a hole."""
    picture = Image.new("RGBA", (300, 200), (200, 30, 60, 255))
    ImageDraw.Draw(picture).ellipse((40, 20, 260, 180), fill=(0, 0, 0, 0))
    picture.save(tmp_path / "logo.png")
    return tmp_path / "logo.png"


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("size", [240, 480, 1800])
@pytest.mark.parametrize("with_logo", [True, False])
def test_a_code_says_its_text_at_every_size(logo: Path, size: int, with_logo: bool) -> None:
    """The picture is exactly as large as asked for, for 300 dpi, and another library reads it."""
    picture = opened(qr.png(qr.Code(URL, qr.read_logo(logo) if with_logo else None), size))
    assert picture.size == (size, size)
    assert round(picture.info["dpi"][0]) == 300
    assert qr.read(picture) == [URL]


def test_the_logo_covers_a_quarter_of_the_width(logo: Path) -> None:
    """Red is found in the middle, and nowhere outside of the middle quarter."""
    picture = qr.draw(qr.Code(URL, qr.read_logo(logo)), 800)
    colours = [
        (x, y)
        for x in range(0, 800, 2)
        for y in range(0, 800, 2)
        if picture.getpixel((x, y)) not in ((0, 0, 0), (255, 255, 255))
    ]
    most = 800 * qr.LOGO_SHARE / 2
    assert colours
    assert all(abs(x - 400) <= most and abs(y - 400) <= most for x, y in colours)


def test_a_drawing_holds_the_logo(logo: Path) -> None:
    """The SVG brings its logo with it and asks no other host for anything."""
    drawing = qr.svg(qr.Code(URL, qr.read_logo(logo)))
    assert 'href="data:image/png;base64,' in drawing
    assert drawing.replace('xmlns="http://www.w3.org/2000/svg"', "").count("http") == 0


def test_a_logo_that_is_a_code_itself_is_refused() -> None:
    """A phone might read the logo instead: such a code is an error, as a picture and as a drawing."""
    other = qr.Logo(qr.draw(qr.Code("https://elsewhere.example"), 512).convert("RGBA"), "digest")
    code = qr.Code(URL, other)
    for make in (lambda: qr.png(code, 960), lambda: qr.svg(code)):
        with pytest.raises(qr.UnreadableError, match="手机认不出"):
            make()


def test_a_picture_too_small_for_its_text_is_refused() -> None:
    """Modules of less than two pixels are not drawn; the error says how large it has to be."""
    with pytest.raises(qr.UnreadableError, match="至少要 82 像素"):
        qr.png(qr.Code("https://brand.example/e/vip"), 80)


def test_the_digest_follows_text_and_logo(logo: Path) -> None:
    """Another text or another logo is another picture to caches."""
    mine = qr.read_logo(logo)
    assert len({qr.Code(URL).digest, qr.Code(URL, mine).digest, qr.Code(URL + "3", mine).digest}) == 3
    assert qr.Code(URL, mine).digest == qr.Code(URL, qr.read_logo(logo)).digest


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<svg/>", "不是 PNG、JPEG 或 WebP"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "PNG"),
        (b"x" * (5 << 20) + b"x", "最多 5 MB"),
        (None, "打不开"),
    ],
)
def test_what_is_no_logo(tmp_path: Path, content: bytes | None, reason: str) -> None:
    """The error is in Chinese and names the file."""
    path = tmp_path / "标志.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(qr.LogoError, match=reason) as error:
        qr.read_logo(path)
    assert "标志.png" in str(error.value)


def test_a_huge_logo_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    """The size in the header is enough to say no."""
    Image.new("1", (5000, 10)).save(tmp_path / "wide.png")
    with pytest.raises(qr.LogoError, match="4096"):
        qr.read_logo(tmp_path / "wide.png")


# --- the card ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def card(logo: Path) -> parcel_card.Card:
    return parcel_card.Card(qr.Code(URL, qr.read_logo(logo)), "绿茶会员群", "微信扫一扫，新茶<先>尝。")


def test_a_card_can_be_scanned(card: parcel_card.Card) -> None:
    """As a picture it has its 90 by 54 mm at 300 dpi, and its code is read."""
    try:
        font = parcel_card.font_file()
    except parcel_card.NoFontError:
        pytest.skip("not installed: a Chinese font")
    picture = opened(parcel_card.png(card, font))
    assert picture.size == (1080, 648)
    assert qr.read(picture) == [URL]


def test_a_drawn_card_has_its_words(card: parcel_card.Card) -> None:
    """Title and text stand in it as text, escaped, and inside the card."""
    drawing = parcel_card.svg(card)
    assert "绿茶会员群" in drawing
    assert "&lt;先&gt;" in drawing
    assert all(parcel_card.CODE < line.size * len(line.text) + parcel_card.CODE < 90 for line in card.lines())


@pytest.mark.parametrize("title", ["", "茶", "上海静安寺久光百货店绿茶会员专属服务群（二〇二六年）"])
def test_long_titles_get_smaller_not_wider(card: parcel_card.Card, title: str) -> None:
    """Whatever the title, every line ends before the edge and lies on the card."""
    lines = parcel_card.Card(card.code, title, "微信扫一扫，按提示进群。" * 4).lines()
    for line in lines:
        width = sum(0.5 if letter.isascii() else 1 for letter in line.text) * line.size
        assert parcel_card.CODE + parcel_card.EDGE + 1 + width <= parcel_card.WIDTH
        assert line.size <= line.y <= parcel_card.HEIGHT


def test_a_machine_without_a_font_says_so() -> None:
    """None of the fonts is there."""
    with pytest.raises(parcel_card.NoFontError):
        parcel_card.font_file(["/nowhere/font.ttc"])

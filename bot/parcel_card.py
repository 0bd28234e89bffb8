"""A card of 90 by 54 mm to put into a parcel: the code, and beside it what it is for. As a drawing or as a picture.

The drawing leaves the choice of font to whoever prints it; the picture needs a Chinese font on this machine.
"""

import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFont

from bot import qr

WIDTH, HEIGHT = 90, 54  # mm
CODE, EDGE = 42, 6  # mm: the code's side with its white border, and the margin around everything
DOTS = 12  # a millimetre, about 300 dots per inch
INK, SOFT = "#1d2129", "#566072"

FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/wqy-microhei/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/STHeiti Medium.ttc",
    "C:/Windows/Fonts/msyh.ttc",
)


class NoFontError(Exception):
    """This machine has no Chinese font that is known here."""


@dataclass(frozen=True)
class Line:
    """One line of text. `size` and `y` (of its foot) in mm."""

    text: str
    size: float
    y: float
    colour: str


@dataclass(frozen=True)
class Card:
    """`title`: whose group; `text`: what to do. Either may be empty."""

    code: qr.Code
    title: str
    text: str

    @property
    def digest(self) -> str:
        """Changes whenever the card would."""
        return hashlib.sha256(f"{self.code.digest}|{self.title}|{self.text}".encode()).hexdigest()[:32]

    def lines(self) -> list[Line]:
        """What stands to the right of the code, set from the middle."""
        room = WIDTH - CODE - 2 * EDGE  # mm
        title, text = _set(self.title, room, (5.6, 4.6, 3.8)), _set(self.text, room, (3.6, 3.2))
        blocks = [(line, size, INK) for size, line in title] + [(line, size, SOFT) for size, line in text]
        height = sum(size * 1.45 for _, size, _ in blocks) + (2 if title and text else 0)
        y, placed = (HEIGHT - height) / 2, list[Line]()
        for number, (line, size, colour) in enumerate(blocks):
            y += size * 1.45 + (2 if number == len(title) and number else 0)
            placed.append(Line(line, size, round(y - size * 0.35, 2), colour))
        return placed


def _set(text: str, room: float, sizes: Sequence[float]) -> list[tuple[float, str]]:
    """The text in the largest size in which it takes two lines at most; in the smallest it may take five."""
    for size in sizes:
        most = int(room / size * 2)
        lines = _break(text, most)
        if len(lines) <= 2 or size == sizes[-1]:
            # As narrow as the same number of lines can be: then they are about equally long.
            even = next(found for width in range(2, most + 1) if len(found := _break(text, width)) == len(lines))
            return [(size, line) for line in even[:5]]
    return []


def _break(text: str, most: int) -> list[str]:
    """Lines of at most `most` half-width columns; a line does not begin with a closing mark."""
    lines, line, width = list[str](), "", 0
    for letter in text.strip():
        columns = 1 if letter.isascii() else 2
        if width + columns > most and letter not in "，。！？、；：」』）)!?,.":
            lines.append(line.strip())
            line, width = "", 0
        line += letter
        width += columns
    return [*lines, line.strip()] if line.strip() else lines


def svg(card: Card) -> str:
    """A drawing for the printer. Raises qr.UnreadableError."""
    modules = qr.modules(card.code)
    qr.draw(card.code, modules * 8)
    scale, top = CODE / modules, (HEIGHT - CODE) / 2
    words = "".join(
        f'<text x="{EDGE + CODE + 1:g}" y="{each.y:g}" font-size="{each.size:g}" fill="{each.colour}">'
        f"{escape(each.text)}</text>"
        for each in card.lines()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}mm" '
        f'height="{HEIGHT}mm" font-family="PingFang SC, Noto Sans CJK SC, Microsoft YaHei, sans-serif">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        f'<g transform="translate({EDGE / 2:g} {top:g}) scale({scale:.5f})">{qr.svg_parts(card.code)}</g>'
        f"{words}</svg>\n"
    )


def font_file(fonts: Iterable[str] = FONTS) -> Path:
    """The first of these fonts that is there. Raises NoFontError."""
    for each in fonts:
        if Path(each).is_file():
            return Path(each)
    raise NoFontError


def png(card: Card, font: Path) -> bytes:
    """A picture of 300 dots per inch. Raises qr.UnreadableError."""
    picture = Image.new("RGB", (WIDTH * DOTS, HEIGHT * DOTS), "white")
    code = qr.draw(card.code, CODE * DOTS)
    picture.paste(code, (EDGE * DOTS // 2, (HEIGHT - CODE) * DOTS // 2))
    drawing = ImageDraw.Draw(picture)
    for each in card.lines():
        face = ImageFont.truetype(str(font), int(each.size * DOTS), index=_simplified(font))
        drawing.text(((EDGE + CODE + 1) * DOTS, each.y * DOTS), each.text, fill=each.colour, font=face, anchor="ls")
    made = io.BytesIO()
    picture.save(made, "PNG", optimize=True, dpi=(DOTS * 25.4, DOTS * 25.4))
    return made.getvalue()


def _simplified(font: Path) -> int:
    """Which face of a collection writes simplified Chinese: Noto's are JP, KR, SC, TC, HK."""
    return 2 if "CJK" in font.name else 0

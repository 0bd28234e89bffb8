"""QR codes with the brand's logo: drawn, and read back by another library before anybody is shown one.

Error level H survives the loss of 30 % of a code; the logo covers a quarter of its width at most, so about 6 % of it.
Whether a picture can be read is tried out all the same, as it is and as a bad camera would see it.
"""

import base64
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import segno
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter, UnidentifiedImageError

LOGO_SHARE = 0.25
"""Of the code's width, with the white edge around the logo."""

QUIET = 4
"""Modules of white around a code (ISO/IEC 18004)."""

_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_FORMATS = ("PNG", "JPEG", "WEBP")
_MOST_BYTES = 5 << 20
_MOST_PIXELS = 4096  # along one side
_KEPT_PIXELS = 512  # likewise; more than any code shows
_FAR = 4  # pixels a module in a photograph from afar


class LogoError(ValueError):
    """A logo that cannot be used. The text is Chinese, without its full stop, and names the file."""


class UnreadableError(ValueError):
    """A code that a phone would not read. The text is Chinese, without its full stop."""


@dataclass(frozen=True)
class Logo:
    """A picture on white or clear ground. `digest`: of the file."""

    picture: Image.Image
    digest: str


@dataclass(frozen=True)
class Code:
    """What a QR code says, and with what in its middle. `level`: of error correction; "m" makes a simpler picture for
    a screen, where nothing is worn off and no logo is in the way.
    """

    text: str
    logo: Logo | None = None
    level: Literal["m", "h"] = "h"

    @property
    def digest(self) -> str:
        """Changes whenever the picture would."""
        logo = self.logo.digest if self.logo else ""
        return hashlib.sha256(f"2|{self.level}|{self.text}|{logo}".encode()).hexdigest()[:32]


# --- the logo ---------------------------------------------------------------------------------------------------------


def read_logo(path: Path) -> Logo:
    """The picture in a file. Raises LogoError."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise LogoError(
            f"打不开标志图片「{path.name}」（{error.strerror}，在 {path.parent.absolute()} 里找过）"
        ) from None
    if len(content) > _MOST_BYTES:
        raise LogoError(f"标志图片「{path.name}」太大，最多 5 MB")
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            if max(picture.size) > _MOST_PIXELS:
                raise LogoError(f"标志图片「{path.name}」太大，每边最多 {_MOST_PIXELS} 像素")
            kept = picture.convert("RGBA")
    except UnidentifiedImageError:
        raise LogoError(f"标志图片「{path.name}」不是 PNG、JPEG 或 WebP 图片") from None
    except (OSError, ValueError, SyntaxError) as error:  # how Pillow says that a file is damaged
        if isinstance(error, LogoError):
            raise
        raise LogoError(f"标志图片「{path.name}」坏了，读不出来") from None
    kept.thumbnail((_KEPT_PIXELS, _KEPT_PIXELS))
    return Logo(kept, hashlib.sha256(content).hexdigest())


# --- drawing ----------------------------------------------------------------------------------------------------------


def _matrix(code: Code) -> segno.QRCode:
    return segno.make(code.text, error=code.level, boost_error=False, micro=False)


def draw(code: Code, size: int) -> Image.Image:
    """The code on a white square of `size` pixels, its modules as large as whole pixels allow.

    Raises UnreadableError, also where `size` is too small for the text.
    """
    matrix = _matrix(code)
    across = _across(matrix, QUIET)
    scale = size // across
    if scale < 2:
        raise UnreadableError(f"{size} 像素放不下这个二维码，至少要 {2 * across} 像素")
    picture = _drawn(matrix, scale, code.logo, size)
    _must_read(picture, code.text, shrink=_FAR / scale)
    return picture


def _drawn(matrix: segno.QRCode, scale: int, logo: Logo | None, size: int) -> Image.Image:
    plain = io.BytesIO()
    matrix.save(plain, kind="png", scale=scale, border=QUIET)
    with Image.open(plain) as symbol:
        picture = Image.new("RGB", (size, size), "white")
        edge = (size - symbol.width) // 2
        picture.paste(symbol.convert("RGB"), (edge, edge))
    if logo is not None:
        plate = _plate(logo, int(_across(matrix, 0) * scale * LOGO_SHARE), scale)
        corner = (size - plate.width) // 2
        picture.paste(plate, (corner, corner), plate)
    return picture


def _plate(logo: Logo, width: int, edge: int) -> Image.Image:
    """The logo on a white plate with round corners, `width` pixels wide in all."""
    plate = Image.new("RGBA", (width, width), (0, 0, 0, 0))
    ImageDraw.Draw(plate).rounded_rectangle((0, 0, width - 1, width - 1), radius=width // 6, fill="white")
    room = max(width - edge, 1)
    ratio = room / max(logo.picture.size)
    shape = (max(int(logo.picture.width * ratio), 1), max(int(logo.picture.height * ratio), 1))
    shown = logo.picture.resize(shape, Image.Resampling.LANCZOS)
    plate.alpha_composite(shown, ((width - shown.width) // 2, (width - shown.height) // 2))
    return plate


def _must_read(picture: Image.Image, text: str, shrink: float) -> None:
    """Raises UnreadableError unless this picture, and a small blurred one of it, say `text` and nothing else."""
    grey = picture.convert("L")
    width = min(max(int(grey.width * shrink), 1), grey.width)
    afar = grey.resize((width, width), Image.Resampling.BILINEAR).filter(ImageFilter.GaussianBlur(0.8))
    for seen in (grey, afar):
        if read(seen) != [text]:
            raise UnreadableError("加上标志以后，手机认不出这个二维码：请换一张简单些的标志（不要含二维码或黑白方格）")


def read(picture: Image.Image) -> list[str]:
    """What the QR codes in a picture say."""
    found = zxingcpp.read_barcodes(picture.convert("L"), formats=_QR)
    return [each.text for each in found]


# --- files ------------------------------------------------------------------------------------------------------------


def png(code: Code, size: int) -> bytes:
    """As `draw`, as a PNG of 300 dots per inch. Raises UnreadableError."""
    picture, made = draw(code, size), io.BytesIO()
    if code.logo is None:
        picture = picture.convert("1")
    picture.save(made, "PNG", optimize=True, dpi=(300, 300))
    return made.getvalue()


def svg(code: Code) -> str:
    """A drawing for the printer, of any size; the logo is inside it. Raises UnreadableError."""
    width = modules(code)
    draw(code, width * 8)  # what is drawn here lies in the same places
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {width}" width="40mm" height="40mm">'
        f"{svg_parts(code)}</svg>\n"
    )


def _across(matrix: segno.QRCode, border: int) -> int:
    return int(matrix.symbol_size(border=border)[0])


def modules(code: Code) -> int:
    """How many modules a code is wide, with the white around it."""
    return _across(_matrix(code), QUIET)


def svg_parts(code: Code) -> str:
    """What stands inside of the drawing: one unit is a module."""
    matrix = _matrix(code)
    inner, across = _across(matrix, 0), _across(matrix, QUIET)
    made = io.BytesIO()
    matrix.save(made, kind="svg", xmldecl=False, svgns=False, border=QUIET, nl=False, svgclass=None, lineclass=None)
    symbol = made.getvalue().decode()
    parts = f'<rect width="{across}" height="{across}" fill="#fff"/>' + symbol[symbol.index(">") + 1 : -len("</svg>")]
    if code.logo is None:
        return parts
    width = inner * LOGO_SHARE
    corner = (across - width) / 2
    place = f'x="{corner:g}" y="{corner:g}" width="{width:g}" height="{width:g}"'
    picture = io.BytesIO()
    _plate(code.logo, _KEPT_PIXELS, _KEPT_PIXELS // (inner // 4)).save(picture, "PNG", optimize=True)
    data = base64.b64encode(picture.getvalue()).decode()
    return f'{parts}<image {place} href="data:image/png;base64,{data}"/>'

"""Logos that entrances name: pictures beside `config.yaml`. Each is tried out on the very code that would be printed.

Only `check` refuses a bad one. A running bot shows the code without it: a poster that leads nowhere is worse.
"""

from collections.abc import Iterator
from pathlib import Path

from bot import qr
from bot.config.problems import Problem, short, written
from bot.config.yaml_tree import Node, value_place, written_part
from rules.book import Book

SAMPLE = "https://example.com"
"""What stands in codes as long as nobody has said where the bot will be."""


def logo_path(folder: Path, name: str) -> Path:
    """Where a logo is. Raises qr.LogoError for a place outside of the config's folder."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise qr.LogoError(
            f"「{short(name)}」不在设置文件的文件夹里：请把图片放到它旁边，写相对路径，如 assets/logo.png"
        )
    return folder / name


def wrong_logos(book: Book, root: Node, file: str, folder: Path, public_url: str = "") -> list[Problem]:
    """What is wrong with them, where they are named. `public_url`: "" where it is not known."""
    return list(_wrong(book, root, file, folder, public_url or SAMPLE))


def _wrong(book: Book, root: Node, file: str, folder: Path, public_url: str) -> Iterator[Problem]:
    for place, entrance in enumerate(book.entrances):
        if not entrance.logo:
            continue
        try:
            logo = qr.read_logo(logo_path(folder, entrance.logo))
            code = qr.Code(f"{public_url}/e/{entrance.name}", logo)
            qr.draw(code, 8 * qr.modules(code))
        except (qr.LogoError, qr.UnreadableError) as error:
            path = ("entrances", place, "logo")
            at = value_place(root, path)
            yield Problem(file, *at, written(written_part(root, path)), short(entrance.logo), str(error))

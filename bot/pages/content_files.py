"""The pictures and files that a post carries, from the folder of the config: only those that a post there names."""

from collections.abc import Sequence
from mimetypes import guess_type
from pathlib import Path

from fastapi.responses import FileResponse, Response

from bot.pages.page import PRIVATE, Refused
from rules.content import Attachment

KINDS = ("image", "video", "file")


def files_of(attachments: Sequence[Attachment], beginning: str) -> list[str]:
    """The address of each attachment's file, below `beginning`; "" where it has none."""
    return [
        f"{beginning}/{place}" if each.kind in KINDS and each.file else "" for place, each in enumerate(attachments)
    ]


def file_answer(folder: Path, attachments: Sequence[Attachment], place: int) -> Response:
    """The file of one of these attachments. Raises Refused."""
    if not 0 <= place < len(attachments):
        raise Refused(404, "forged")
    name = attachments[place].file
    path = (folder / name).resolve()
    if not name or not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise Refused(404, "forged")
    kind = guess_type(name)[0] or "application/octet-stream"
    shown = kind.startswith(("image/", "video/"))
    return FileResponse(
        path,
        media_type=kind if shown else "application/octet-stream",
        filename=None if shown else path.name,
        headers={**PRIVATE, "x-content-type-options": "nosniff"},
    )

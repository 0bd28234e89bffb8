"""A file beside the config is uploaded, so that a 企业群发 can carry it: its id is good for three days (page 90253)."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from loguru import logger

from bot.actions.action import Hands
from rules.actions import UploadMedia
from store import media
from store.database import Tx
from store.media import MediaRow
from wecom import commands
from wecom.errors import NOT_SENT, PlatformError

REPEATABLE = True


class Uploaded(NamedTuple):
    """`digest`: hex SHA-256 of what was uploaded."""

    media_id: str
    digest: str


class FileMissing(PlatformError):  # noqa: N818 - says what is the case
    """There is no such file on this machine, or it cannot be read."""

    def __init__(self, path: str) -> None:
        super().__init__(NOT_SENT, "media/upload", treatment="refused")
        self.hint = f"找不到或读不了文件「{path}」：请放到设置文件旁边。"
        self.args = (f"media/upload: {path} cannot be read",)


async def is_wanted(deed: UploadMedia, tx: Tx) -> bool:
    return True


async def carry_out(deed: UploadMedia, hands: Hands) -> Uploaded:
    content = _read(hands.content, deed.path)
    media_id = await commands.upload_media(hands.wecom, deed.type, Path(deed.path).name, content)
    return Uploaded(media_id, hashlib.sha256(content).hexdigest())


def _read(folder: Path, path: str) -> bytes:
    """The file below the folder of the config. Raises FileMissing."""
    try:
        found = (folder / path).resolve(strict=True)
        if not found.is_relative_to(folder.resolve()):
            raise FileMissing(path)
        return found.read_bytes()
    except OSError:
        raise FileMissing(path) from None


async def record(deed: UploadMedia, result: Uploaded, tx: Tx, now: datetime) -> None:
    row = await media.known_or_new(tx, deed.type, deed.path)
    row.media_id, row.digest = result
    row.uploaded_at, row.ordered_at, row.why = now, None, ""


async def give_up(deed: UploadMedia, error: PlatformError, tx: Tx, now: datetime) -> None:
    logger.error("{} was not uploaded: {}", deed.path, error)
    row: MediaRow = await media.known_or_new(tx, deed.type, deed.path)
    row.ordered_at, row.why = None, error.hint

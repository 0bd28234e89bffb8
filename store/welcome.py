"""Group welcome templates: what the platform has of each text in the config, so that none is made twice.

The platform cannot list its templates (page 92366), so one whose making was not answered is never found again: it is
counted as an orphan. Which groups have theirs attached is told by people, on a matter per group.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam
from sqlalchemy import select as columns
from sqlmodel import Field, SQLModel, col, select

from store.built import once
from store.columns import table_of
from store.database import Tx, UtcTime, one
from store.matters import MatterRow
from store.outbox import Outbox
from store.roster import GroupRow

ATTACH = "welcome-attach:"
MISSING = "welcome-missing"
SOON = timedelta(minutes=1)


class WelcomeTemplateRow(SQLModel, table=True):
    """One text of the config, by its title. Rows are never deleted: `number` makes the keys of deeds, and only grows.

    `state`: adding, editing, deleting (ordered and not answered yet), made, failed, gone. `hash`: of the text that the
    platform has; `tried`: of the text that was ordered last. `why`: in Chinese, why that was refused. `orphans`: how
    many were perhaps made and are lost.
    """

    __tablename__ = "welcome_templates"

    title: str = Field(primary_key=True)
    state: str
    number: int = 1
    template_id: str | None = None
    hash: str = ""
    tried: str = ""
    why: str = ""
    orphans: int = 0
    changed_at: datetime = Field(sa_type=UtcTime)

    @property
    def is_attachable(self) -> bool:
        """Whether there is something to attach."""
        return self.template_id is not None and self.state in ("made", "editing")


class LookRow(SQLModel, table=True):
    """When the welcomes are looked over next, and which config they were looked over for (one row)."""

    __tablename__ = "welcome_looks"

    id: int = Field(primary_key=True)
    due_at: datetime = Field(sa_type=UtcTime)
    config_id: int


async def look(tx: Tx) -> LookRow | None:
    """None where nobody has planned any yet."""
    return await tx.get(LookRow, 1)


async def next_look(tx: Tx, config_id: int) -> datetime | None:
    """When the next look is due; None where none was planned under this config."""
    found: datetime | None = await one(tx, _NEXT_LOOK, config_id=config_id)
    return found


_LOOKS = table_of(LookRow)
_NEXT_LOOK = once(columns(_LOOKS.c.due_at).where(_LOOKS.c.config_id == bindparam("config_id")))


async def look_soon(tx: Tx, *, now: datetime) -> None:
    """There is news for those who have to attach a welcome."""
    row = await look(tx)
    if row is not None:
        row.due_at = min(row.due_at, now + SOON)


async def templates(tx: Tx) -> dict[str, WelcomeTemplateRow]:
    """All there are and were, by title; nobody else changes them before the transaction ends."""
    query = select(WelcomeTemplateRow).order_by(WelcomeTemplateRow.title).with_for_update()
    return {row.title: row for row in (await tx.exec(query)).all()}


async def template(tx: Tx, title: str) -> WelcomeTemplateRow | None:
    return await tx.get(WelcomeTemplateRow, title)


def deed_key(title: str, number: int) -> str:
    """The key of the deed that was ordered about this text with this number."""
    return f"welcome-template:{title}:{number}"


async def was_begun_before(tx: Tx, title: str, number: int) -> bool:
    """Whether a process began this deed and nobody knows how far it came: more tries than one, and none failed."""
    core = table_of(Outbox)
    question = select(core.c.attempts, core.c.last_error).where(core.c.key == deed_key(title, number))
    row = (await (await tx.connection()).execute(question)).first()
    return row is not None and row.attempts > 1 and row.last_error is None


# --- which groups have theirs -----------------------------------------------------------------------------------------


def attach_key(template_id: str, chat_id: str) -> str:
    """What the matter is about: this template in this group."""
    return f"{ATTACH}{template_id}:{chat_id}"


async def told(tx: Tx) -> dict[str, bool]:
    """What owners were asked to attach, by key: True while it is open. Settled without being done is forgotten."""
    query = select(MatterRow).where(
        col(MatterRow.about).startswith(ATTACH, autoescape=True),
        col(MatterRow.key).is_not(None) | (MatterRow.outcome == "done"),
    )
    found: dict[str, bool] = {}
    for row in (await tx.exec(query)).all():
        found[row.about] = found.get(row.about, False) or row.key is not None
    return found


class Waiting(NamedTuple):
    """A group whose owner has not attached its welcome yet. `since`: when they were asked."""

    chat_id: str
    name: str
    owner: str
    since: datetime


async def waiting(tx: Tx) -> list[Waiting]:
    """The groups without a confirmed welcome, in the order in which their owners were asked."""
    query = (
        select(MatterRow, GroupRow)
        .join(GroupRow, col(GroupRow.chat_id) == col(MatterRow.chat_id))
        .where(col(MatterRow.key).startswith(ATTACH, autoescape=True))
        .order_by(col(MatterRow.opened_at), col(MatterRow.id))
    )
    rows = (await tx.exec(query)).all()
    return [Waiting(group.chat_id, group.name, group.owner, matter.opened_at) for matter, group in rows]

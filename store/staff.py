"""Our own staff: names for userids, to print on cards and to find the people whom the config calls by name."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, literal_column
from sqlalchemy import select as columns
from sqlmodel import Field, SQLModel, select

from store.built import once
from store.database import Tx, UtcTime, table_of


class StaffRow(SQLModel, table=True):
    """One member of our corp. `name` is empty where the platform would not tell it."""

    __tablename__ = "staff"

    userid: str = Field(primary_key=True)
    name: str = Field(default="", index=True)
    seen_at: datetime = Field(sa_type=UtcTime)


async def names(tx: Tx, userids: Iterable[str]) -> dict[str, str]:
    """The name of each userid; the userid itself where none is known."""
    wanted = list(userids)
    if not wanted:
        return {}
    known = {userid: name for userid, name in await (await tx.connection()).execute(_NAMES, {"ids": wanted}) if name}
    return {userid: known.get(userid, userid) for userid in wanted}


async def find(tx: Tx, called: Iterable[str]) -> tuple[list[str], list[str]]:
    """The userids of people called by userid or by name, and those of the names that nobody or several bear."""
    found: list[str] = []
    doubtful: list[str] = []
    for name in called:
        query = select(StaffRow.userid).where((StaffRow.userid == name) | (StaffRow.name == name))
        userids = (await tx.exec(query)).all()
        if len(userids) == 1:
            found.append(userids[0])
        else:
            doubtful.append(name)
    return list(dict.fromkeys(found)), doubtful


async def nameless(tx: Tx, userids: Iterable[str]) -> list[str]:
    """Which of these userids have no name on record yet."""
    wanted = list(dict.fromkeys(userids))
    known = set((await (await tx.connection()).execute(_NAMED, {"ids": wanted})).scalars())
    return [userid for userid in wanted if userid not in known]


_STAFF = table_of(StaffRow)
_THESE = _STAFF.c.userid.in_(bindparam("ids", expanding=True))
_NAMES = once(columns(_STAFF.c.userid, _STAFF.c.name).where(_THESE))
_NAMED = once(columns(_STAFF.c.userid).where(_THESE, _STAFF.c.name != literal_column("''")))


async def remember(tx: Tx, userid: str, name: str, *, now: datetime) -> None:
    """Write down a member of staff; a name is never replaced by nothing."""
    row = await tx.get(StaffRow, userid)
    if row is None:
        tx.add(StaffRow(userid=userid, name=name, seen_at=now))
    else:
        row.name, row.seen_at = name or row.name, now
    await tx.flush()


async def everybody(tx: Tx) -> list[StaffRow]:
    """All members of staff we know of, in the order of their userids."""
    return list((await tx.exec(select(StaffRow).order_by(StaffRow.userid))).all())

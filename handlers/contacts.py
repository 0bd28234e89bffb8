"""Which of our staff have added somebody: asked where it matters to a feature, and not asked again all the time."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from loguru import logger

from handlers.reading import remember_contact
from store import people
from store.database import Database, Tx
from wecom import lookups
from wecom.errors import PlatformError
from wecom.gateway import Gateway
from wecom.lookups import Contact

ASK_AGAIN = timedelta(days=1)
"""How soon somebody whom nobody had added is asked about again: staff may have added them, and no callback told."""

Asked = Mapping[str, Contact | None]


async def ask(wecom: Gateway, store: Database, ids: Collection[str], *, now: datetime) -> Asked:
    """What the platform says of those of whom we do not know who has added them; None: nobody has."""
    async with store.read() as tx:
        rows = {each: await people.person(tx, each) for each in ids}
    found: dict[str, Contact | None] = {}
    for who, row in rows.items():
        if row is not None and (row.followers or (row.checked_at and now < row.checked_at + ASK_AGAIN)):
            continue
        try:
            found[who] = await lookups.read_contact(wecom, who)
        except PlatformError as error:
            if error.treatment in ("retry", "alert"):
                raise
            logger.warning("who has added somebody is not known: {}", error)
    return found


async def remember(tx: Tx, asked: Asked, *, now: datetime) -> None:
    """Before this transaction loads any of these people."""
    for who, contact in asked.items():
        await remember_contact(tx, who, contact, now=now)


async def followers(tx: Tx, external_userid: str | None) -> list[str]:
    """The userids of staff who have added this person, as far as we know."""
    if not external_userid:
        return []
    known = await people.known(tx, [external_userid])
    return sorted(known[external_userid].followers) if external_userid in known else []

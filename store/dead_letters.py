"""Dead letters that nobody has to look at any more."""

from sqlalchemy import literal_column, or_, select

from store.columns import table_of
from store.database import Tx
from store.inbox import Inbox
from store.roster import GroupRow

_INBOX = table_of(Inbox)
_GROUPS = table_of(GroupRow)


async def made_good(tx: Tx) -> list[int]:
    """The dead callbacks about a group that has been read, or found to be dismissed, since they were given up.

    All that a group's callback could tell is in the roster then: it was but a hint that something had changed.
    """
    since = or_(_GROUPS.c.read_at > _INBOX.c.finished_at, _GROUPS.c.dismissed_at > _INBOX.c.finished_at)
    chosen = (
        select(_INBOX.c.id)
        .select_from(_INBOX)
        .join(_GROUPS, literal_column("'group:'").concat(_GROUPS.c.chat_id) == _INBOX.c.ordering_key)
        .where(_INBOX.c.state == literal_column("'dead'"), _INBOX.c.finished_at.is_not(None))
        .where(_INBOX.c.source == "callback", since)
        .order_by(_INBOX.c.id)
    )
    return list((await (await tx.connection()).execute(chosen)).scalars())

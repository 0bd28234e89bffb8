"""What happened in the corp, and callbacks that no code knows."""

from typing import Literal

from rules.events.base import Event


class TagChanged(Event):
    """`change`: create, update, delete, shuffle …; `tag_type`: tag or tag_group."""

    kind: Literal["tag_changed"] = "tag_changed"
    change: str
    tag_id: str | None
    tag_type: str | None
    strategy_id: str | None


class StaffChanged(Event):
    """The corp's address book changed (change_contact): create_user, update_user, delete_user, create_party …"""

    kind: Literal["staff_changed"] = "staff_changed"
    change: str
    userid: str | None
    new_userid: str | None
    fields: dict[str, str]


class UnknownEvent(Event):
    """A callback that no code knows. Everything that came is kept, so that support can be written from it."""

    kind: Literal["unknown"] = "unknown"
    event: str
    change: str
    xml: str

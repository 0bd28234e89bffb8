"""What happened between a member of staff and an external contact (change_external_contact, page 92130)."""

from typing import Literal

from rules.events.base import Event


class ContactEvent(Event):
    """Something between a member of our staff and one external contact."""

    userid: str
    external_userid: str


class ContactAdded(ContactEvent):
    """`half`: added without confirmation (add_half_external_contact). `welcome_code` lives 20 seconds."""

    kind: Literal["contact_added"] = "contact_added"
    half: bool
    state: str | None
    welcome_code: str | None


class ContactEdited(ContactEvent):
    kind: Literal["contact_edited"] = "contact_edited"


class ContactDeleted(ContactEvent):
    """Our staff deleted the contact. `source` is DELETE_BY_TRANSFER when a transfer did it."""

    kind: Literal["contact_deleted"] = "contact_deleted"
    source: str | None


class StaffDeletedByContact(ContactEvent):
    kind: Literal["staff_deleted_by_contact"] = "staff_deleted_by_contact"


class TransferFailed(ContactEvent):
    kind: Literal["transfer_failed"] = "transfer_failed"
    reason: str | None


class ArchiveApproved(ContactEvent):
    kind: Literal["archive_approved"] = "archive_approved"
    welcome_code: str | None

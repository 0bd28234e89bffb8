"""Every module with tables, by name: importing this one makes `metadata` complete."""

from sqlmodel import SQLModel

import store.inbox
import store.outbox
import store.people
import store.removal
import store.roster
import store.staff
import store.trace

__all__ = ["metadata"]

metadata = SQLModel.metadata

modules = (
    store.inbox,
    store.outbox,
    store.people,
    store.removal,
    store.roster,
    store.staff,
    store.trace,
)

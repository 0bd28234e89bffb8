"""Every module with tables, by name: importing this one makes `metadata` complete."""

from sqlmodel import SQLModel

import store.api_calls
import store.cards
import store.configs
import store.inbox
import store.observations
import store.outbox
import store.people
import store.reconcile
import store.removal
import store.roster
import store.staff
import store.todo
import store.trace
import store.transfers

__all__ = ["metadata"]

metadata = SQLModel.metadata

modules = (
    store.api_calls,
    store.cards,
    store.configs,
    store.inbox,
    store.observations,
    store.outbox,
    store.people,
    store.reconcile,
    store.removal,
    store.roster,
    store.staff,
    store.todo,
    store.trace,
    store.transfers,
)

"""Every module with tables, by name: importing this one makes `metadata` complete."""

from sqlmodel import SQLModel

import store.api_calls
import store.blocks
import store.cards
import store.configs
import store.inbox
import store.matters
import store.messages
import store.observations
import store.outbox
import store.people
import store.points
import store.reconcile
import store.removal
import store.reports
import store.roster
import store.staff
import store.strikes
import store.todo
import store.trace
import store.transfers
import store.welcome

__all__ = ["metadata"]

metadata = SQLModel.metadata

modules = (
    store.api_calls,
    store.blocks,
    store.cards,
    store.configs,
    store.inbox,
    store.matters,
    store.messages,
    store.observations,
    store.outbox,
    store.people,
    store.points,
    store.reconcile,
    store.removal,
    store.reports,
    store.roster,
    store.staff,
    store.strikes,
    store.todo,
    store.trace,
    store.transfers,
    store.welcome,
)

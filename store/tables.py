"""Every module with tables, by name: importing this one makes `metadata` complete."""

from sqlmodel import SQLModel

import store.api_calls
import store.blocks
import store.cards
import store.checkin_pictures
import store.checkin_rewards
import store.checkins
import store.configs
import store.coupon_codes
import store.draws
import store.entrances
import store.identities
import store.inbox
import store.join_ways
import store.leading
import store.ledger
import store.matters
import store.media
import store.messages
import store.observations
import store.openids
import store.outbox
import store.own_sends
import store.own_tags
import store.owner_weeks
import store.pay_accounts
import store.payouts
import store.people
import store.points
import store.posts
import store.reconcile
import store.removal
import store.reports
import store.rooms
import store.roster
import store.seats
import store.sends
import store.staff
import store.strikes
import store.todo
import store.trace
import store.transfers
import store.waiting
import store.welcome

__all__ = ["metadata"]

metadata = SQLModel.metadata

modules = (
    store.api_calls,
    store.blocks,
    store.cards,
    store.checkin_rewards,
    store.checkin_pictures,
    store.checkins,
    store.configs,
    store.coupon_codes,
    store.draws,
    store.entrances,
    store.identities,
    store.inbox,
    store.join_ways,
    store.leading,
    store.ledger,
    store.matters,
    store.media,
    store.messages,
    store.observations,
    store.openids,
    store.outbox,
    store.pay_accounts,
    store.payouts,
    store.own_sends,
    store.own_tags,
    store.owner_weeks,
    store.people,
    store.points,
    store.posts,
    store.reconcile,
    store.removal,
    store.reports,
    store.roster,
    store.seats,
    store.rooms,
    store.sends,
    store.staff,
    store.strikes,
    store.todo,
    store.trace,
    store.transfers,
    store.waiting,
    store.welcome,
)

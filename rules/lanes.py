"""Lanes of the inbox and the outbox: what is worked on first. The lower number goes before the higher."""

WELCOME = 0  # a welcome code lives 20 seconds
REMOVAL = 1
NORMAL = 2
POSTS = 3
STATISTICS = 4
RECONCILE = 5  # what nobody told us of can wait for what somebody did

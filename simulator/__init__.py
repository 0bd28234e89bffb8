"""A WeCom in a box, with people in it. An independent implementation: it imports none of our own packages."""

from simulator.app import create_app
from simulator.archive import Archive
from simulator.callbacks import CallbackSettings
from simulator.clock import VirtualClock, WallClock
from simulator.errors import ImpossibleError
from simulator.faults import Faults
from simulator.joins import Scanned
from simulator.limits import Limits
from simulator.pay import Merchant, PayFaults
from simulator.people import Customer, Staff
from simulator.server import running
from simulator.story import Story
from simulator.webview import Seen
from simulator.world import World

__all__ = [
    "Archive",
    "CallbackSettings",
    "Customer",
    "Faults",
    "ImpossibleError",
    "Limits",
    "Merchant",
    "PayFaults",
    "Scanned",
    "Seen",
    "Staff",
    "Story",
    "VirtualClock",
    "WallClock",
    "World",
    "create_app",
    "running",
]

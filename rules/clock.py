"""What the rest of the house knows about time: somebody can be asked for it, and people read Beijing time."""

from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Tells the time. The answer is always aware and in UTC."""

    def now(self) -> datetime: ...

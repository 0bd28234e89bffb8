"""The overview of a check-in as things stand: for the command, the page, and a line on the managers' weekly card."""

from datetime import datetime

from rules.checkin_days import date_of
from rules.checkin_report import Overview, overview
from rules.checkins import Checkin
from store import checkin_report
from store.database import Tx


async def build(tx: Tx, checkin: Checkin, *, now: datetime) -> Overview:
    """Locks nothing."""
    runs = await checkin_report.runs(tx, checkin.name)
    return overview(checkin, runs, await checkin_report.given(tx, checkin.name), date_of(now))

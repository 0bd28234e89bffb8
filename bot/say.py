"""How moments, spans and ids are written for people on the command line: Beijing time, short, Chinese."""

from datetime import datetime, timedelta

from rules.clock import BEIJING
from rules.when import say_duration


def at(moment: datetime | None) -> str:
    """`11-23 09:05:03`, in Beijing."""
    return moment.astimezone(BEIJING).strftime("%m-%d %H:%M:%S") if moment else "—"


def span(length: timedelta) -> str:
    """Two units at most: `3天2小时`, `5分钟12秒`; 0秒 where it is shorter or negative."""
    seconds = max(0, int(length.total_seconds()))
    for unit in (86_400, 3_600, 60):
        if seconds >= unit:
            coarse = {86_400: 3_600, 3_600: 60, 60: 1}[unit]
            return say_duration(timedelta(seconds=seconds // coarse * coarse))
    return f"{seconds}秒"


def version(config: str) -> str:
    """The config's hash as far as people need it to tell two apart."""
    return config[:8] if config else "（无）"

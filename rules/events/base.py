"""What every event has."""

from pydantic import AwareDatetime

from rules.value import Value


class Event(Value):
    """Something that happened."""

    at: AwareDatetime

"""What happens in the world, as values that a demo prints."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Story:
    """Something that happened, for people to read. `data` holds the ids: chat_id, person, userid, task_id, key."""

    at: datetime
    actor: str
    text_zh: str
    data: Mapping[str, Any] = field(default_factory=dict)

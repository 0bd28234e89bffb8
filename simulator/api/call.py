"""One call of an endpoint, and reading its parameters the way the platform does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.errors import ApiError

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """`query` holds the last value of each parameter; `body` is the JSON object of a POST, {} for a GET."""

    endpoint: str
    query: Mapping[str, str]
    body: Mapping[str, Any]

    def text(self, name: str, missing: int = 40058) -> str:
        """A string of the body that must be there. Raises ApiError `missing`, or 40058 for another type."""
        value = self.body.get(name)
        if value is None or value == "":
            raise ApiError(missing, name)
        if not isinstance(value, str):
            raise ApiError(40058, f"{name} must be a string")
        return value

    def number(self, name: str, lowest: int, highest: int, default: int | None = None) -> int:
        """A whole number of the body within limits. Raises ApiError 40058."""
        value = self.body.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise ApiError(40058, f"{name} must be {lowest} to {highest}")
        return value


def short(body: Mapping[str, Any], name: str, most: int | None, default: str = "") -> str:
    """A text of the body that may be missing, of at most `most` characters. Raises ApiError 40058."""
    value = body.get(name, default)
    if not isinstance(value, str) or (most is not None and len(value) > most):
        raise ApiError(40058, f"{name} must be a string of at most {most}")
    return value


def flag(body: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """A boolean of the body that may be missing. Raises ApiError 40058."""
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise ApiError(40058, f"{name} must be a boolean")
    return value


def strings(value: Any, name: str, most: int) -> Sequence[str]:
    """A list of at most `most` strings. Raises ApiError 40058."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ApiError(40058, f"{name} must be a list of strings")
    if len(value) > most:
        raise ApiError(40058, f"{name} has more than {most}")
    return value

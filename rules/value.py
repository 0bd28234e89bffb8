"""The base of every value that travels between floors: frozen, and strict about unknown fields."""

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen record. Two values with equal fields are equal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

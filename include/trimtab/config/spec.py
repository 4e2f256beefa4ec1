"""What every configuration model shares: closed, immutable, with durations people can read."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Spec(BaseModel):
    """Base of every configuration model: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def parse_duration(value: Any) -> Any:
    """Turn ``"90s"``, ``"3h"``, ``"7d"`` into a timedelta; leave timedeltas alone."""
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d+)\s*([smhdw])", str(value).strip())
    if not match:
        raise ValueError("write a whole number and a unit: 30s, 15m, 3h, 7d or 2w")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def format_duration(value: timedelta) -> str:
    """Write a timedelta the way it is read: in its largest whole unit."""
    seconds = int(value.total_seconds())
    for unit, size in (("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


_SIZES = {"B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}


def parse_size(value: Any) -> Any:
    """Turn ``"500KB"``, ``"2MB"``, ``"4GB"`` into bytes; leave whole numbers alone."""
    if isinstance(value, int):
        return value
    match = re.fullmatch(r"(\d+)\s*(B|KB|MB|GB)", str(value).strip())
    if not match:
        raise ValueError("write a whole number and a unit: 500KB, 20MB or 4GB")
    return int(match[1]) * _SIZES[match[2]]


Size = Annotated[int, BeforeValidator(parse_size, json_schema_input_type=str | int)]
Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration, json_schema_input_type=str),
    PlainSerializer(format_duration, return_type=str),
]
Name = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="lower case, digits and _; at most 40"),
]

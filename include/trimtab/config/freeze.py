"""Spans of time in which nothing that serves is changed."""

from datetime import datetime
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from trimtab.config.spec import Spec


class Freeze(Spec):
    """From one moment until another (not included) the champion stays; times name their zone."""

    from_: AwareDatetime = Field(alias="from")
    until: AwareDatetime
    reason: str = Field(min_length=3)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until <= self.from_:
            raise ValueError("until is not after from; swap them")
        return self

    def holds(self, at: datetime) -> bool:
        """Whether the moment ``at`` lies inside."""
        return self.from_ <= at < self.until

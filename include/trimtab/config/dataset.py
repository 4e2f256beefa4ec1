"""A dataset file: where rows come from and the contract they must keep."""

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from trimtab.config.limits import History, Limits
from trimtab.config.source import SourceSpec
from trimtab.config.spec import Name, Spec

ColumnType = Literal["int", "float", "text", "category", "bool", "time"]
Severity = Literal["block", "quarantine", "warn"]
TRUE, FALSE = ("true", "1", "yes"), ("false", "0", "no")  # what a bool may be in a file, any case


class Column(Spec):
    """One column of the contract."""

    type: ColumnType
    nullable: bool = False
    values: tuple[str, ...] | None = Field(default=None, description="the closed list of values")
    min: float | None = None
    max: float | None = None
    pattern: str | None = Field(default=None, description="regular expression the text must match")
    min_distinct: int = Field(default=1, ge=1, description="fewer different values refuse a file")
    max_distinct: int | None = Field(default=None, ge=1, description="more of them refuse a file")
    max_missing: float = Field(
        default=1, ge=0, le=1, description="share of missing values above which a file is refused"
    )
    unit: str | None = None
    description: str = ""
    known_after: str | None = Field(
        default=None,
        description="the event after which the value is known; never a feature when set",
    )
    consequence_of: tuple[str, ...] = Field(
        default=(), description="columns this one follows from; never a feature where one is target"
    )

    @model_validator(mode="after")
    def _rules_fit_the_type(self) -> Self:
        if self.type not in ("int", "float") and (self.min is not None or self.max is not None):
            raise ValueError(f"min and max are for int and float, not {self.type}")
        if self.type not in ("text", "category") and (self.values or self.pattern):
            raise ValueError(f"values and pattern are for text and category, not {self.type}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}; swap them")
        return self


class Check(Spec):
    """Any Great Expectations expectation by name; further keys are its arguments."""

    model_config = ConfigDict(frozen=True, extra="allow")

    expect: str = Field(pattern=r"^expect_[a-z_]+$")
    severity: Severity = "block"

    @property
    def arguments(self) -> dict[str, Any]:
        """The expectation's own keyword arguments."""
        return dict(self.model_extra or {})


class DatasetSpec(Spec):
    """A table that grows by files or queries, and its contract."""

    dataset: Name
    owner: str
    description: str = ""
    source: SourceSpec
    write: Literal["append", "upsert", "replace_partition"] = Field(
        default="append",
        description=(
            "append: a key that is there already is set aside; upsert: its row is replaced; "
            "replace_partition: the file replaces the partitions it has rows of"
        ),
    )
    evolve: Literal["strict", "add_columns"] = Field(
        default="strict", description="what a file with columns the contract lacks may do"
    )
    engine: Literal["polars", "duckdb", "spark"] = Field(
        default="polars", description="what computes the checks of the contract"
    )
    label: str | None = Field(
        default=None,
        description="the column models learn; files with one class of it, or a leak, are refused",
    )
    limits: Limits = Limits()
    history: History | None = None
    key: tuple[str, ...] = Field(min_length=1, description="columns that identify a row")
    time: str | None = Field(default=None, description="event time column, type time, in UTC")
    partition: Literal["day", "month", "file"] = "file"
    columns: dict[str, Column] = Field(min_length=1)
    checks: tuple[Check, ...] = ()
    max_bad_rows: float = Field(
        default=0.05, ge=0, le=1, description="share of bad rows above which the file is refused"
    )
    sweep: str = Field(default="*/5 * * * *", description="cron that looks for missed files")
    tags: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        optional = {"time": self.time, "label": self.label}
        named = {"key": self.key, **{k: (name,) for k, name in optional.items() if name}}
        named |= {f"consequence_of of {n}": c.consequence_of for n, c in self.columns.items()}
        for where, names in named.items():
            if missing := [name for name in names if name not in self.columns]:
                raise ValueError(
                    f"{where} names {missing}, not among columns; add them there or correct {where}"
                )
        if ours := [name for name in self.columns if name.startswith("_")]:
            raise ValueError(f"columns {ours} begin with _, which trimtab keeps for itself; rename")
        if self.time and self.columns[self.time].type != "time":
            raise ValueError(
                f"time column {self.time} has type {self.columns[self.time].type}, "
                "not time; set its type to time"
            )
        if self.partition != "file" and not self.time:
            raise ValueError(f"partition {self.partition} needs a time column; set time")
        return self

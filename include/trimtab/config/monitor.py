"""How a model is watched in production, and what asks for a retraining."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from trimtab.config.spec import Duration, Name, Spec, parse_duration
from trimtab.watch import Severity, Signal

_PERSIST = r"^[1-9]\d* of [1-9]\d*$"


class Watch(Spec):
    """One signal otherwise than usual."""

    enabled: bool = True
    alarm: bool = Field(default=True, description="whether it may call anybody; it is shown anyway")
    persist: str | None = Field(
        default=None, pattern=_PERSIST, description="windows that must have moved [of the monitor]"
    )
    limit: float | None = Field(
        default=None, gt=0, description="least change that matters, in units of its statistic"
    )
    severity: Severity | None = Field(default=None, description="[by what it most likely means]")
    columns: tuple[str, ...] | None = Field(
        default=None, description="[the most important features]"
    )


class Kpi(Spec):
    """A number of the business, computed on every window."""

    name: Name
    sql: str | None = Field(
        default=None,
        description="SELECT of one number from `scored`: the rows, `prediction` and `target`",
    )
    function: str | None = Field(default=None, description="registered function of the frame")
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.sql is None) == (self.function is None):
            raise ValueError("a KPI is either sql or function; write one of them")
        return self


class Labels(Spec):
    """Where the truth arrives when it is not in the scored dataset."""

    dataset: Name
    key: tuple[str, ...] = Field(
        default=(), description="columns equal on both sides [the key of the scored dataset]"
    )


class Monitor(Spec):
    """What is watched, and how rarely it may cry for nothing. Times are the data's own."""

    schedule: str = "@daily"
    max_false_alarms: str = Field(
        default="1 per 90d",
        pattern=r"^[1-9]\d* per [1-9]\d*[hdw]$",
        description="alarms in that time that may be false, over all signals",
    )
    persist: str = Field(
        default="2 of 3",
        pattern=_PERSIST,
        description="windows that must have moved, the newest among them, for an alarm",
    )
    min_rows: int = Field(default=100, ge=1, description="of fewer rows nothing is said")
    top: int = Field(
        default=10,
        ge=0,
        description="features watched, the most important; 0: all",
    )
    drift: float = Field(default=0.1, gt=0, description="least PSI of a column that matters")
    performance_drop: float = Field(
        default=0.02, gt=0, description="least loss of the primary metric that matters"
    )
    slices: tuple[str, ...] | None = Field(
        default=None, description="columns whose values are watched apart [gate.slices]"
    )
    slice_min_rows: int = Field(default=300, ge=1)
    kpi: tuple[Kpi, ...] = ()
    labels: Labels | None = None
    rollback: Literal["ask", "auto"] = Field(
        default="ask",
        description="what happens to a fresh champion that does worse than its predecessor",
    )
    recalibrate: Literal["ask", "auto"] = "ask"
    signals: dict[Signal, Watch] = {}

    def watch(self, signal: Signal) -> Watch:
        """Return the settings of one signal."""
        return self.signals.get(signal, Watch())

    def persistence(self, signal: Signal) -> tuple[int, int]:
        """Return k and n: how many of the last windows must have moved.

        What is certain at first sight (quality, KPI, service) is not waited for, unless said.
        """
        usual = "1 of 1" if signal in {"quality", "kpi", "service"} else self.persist
        k, n = (self.watch(signal).persist or usual).split(" of ")
        return int(k), int(n)

    @property
    def budget(self) -> tuple[int, timedelta]:
        """False alarms allowed, and in what time."""
        count, span = self.max_false_alarms.split(" per ")
        return int(count), parse_duration(span)

    @model_validator(mode="after")
    def _persist_possible(self) -> Self:
        for signal in (None, *self.signals):
            text = self.persist if signal is None else (self.signals[signal].persist or "1 of 1")
            k, n = map(int, text.split(" of "))
            if k > n:
                raise ValueError(f"persist: {text!r} can never be; write {n} of {n}, or {k} of {k}")
        return self


class Retrain(Spec):
    """What asks for a retraining, and the guards around it. Times are the data's own."""

    when: tuple[Literal["new_data", "drift", "performance"], ...] = ("drift", "performance")
    cooldown: Duration = Field(default="7d", validate_default=True)
    min_new_rows: int = Field(default=1000, ge=0)
    max_per_month: int = Field(default=4, ge=1, description="trainings within 30 days at most")
    budget: Duration | None = Field(
        default=None, description="time that trainings of 30 days may take together"
    )
    window: Literal["all", "helps"] = Field(
        default="helps",
        description="train on all rows, or after a change of concept on the rows since then",
    )
    give_up_after: int = Field(
        default=3, ge=1, description="retrainings without gain, after which a person is asked"
    )

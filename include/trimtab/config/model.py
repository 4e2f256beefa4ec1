"""A model file: what is predicted, from what, and by which rules it lives."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from trimtab.config.freeze import Freeze
from trimtab.config.monitor import Monitor, Retrain
from trimtab.config.spec import Duration, Name, Spec
from trimtab.config.view import Derived, ViewUse

Task = Literal["binary", "multiclass", "regression"]
# Metrics by task; the first is the default primary one. Names are scikit-learn's.
METRICS: dict[str, tuple[str, ...]] = {
    "binary": ("roc_auc", "average_precision", "accuracy", "f1", "neg_log_loss", "neg_brier_score"),
    "multiclass": ("accuracy", "f1_macro", "neg_log_loss"),
    "regression": (
        "r2",
        "neg_mean_absolute_error",
        "neg_root_mean_squared_error",
    ),
}


class Join(Spec):
    """A second dataset, joined by equality and, with ``as_of``, by the latest earlier time."""

    dataset: Name
    on: tuple[str, ...] | dict[str, str] = Field(
        description="columns equal on both sides; a mapping when the names differ (ours: theirs)"
    )
    as_of: str | None = Field(
        default=None, description="our time column; takes the latest earlier row"
    )
    max_age: Duration | None = None
    columns: tuple[str, ...] | None = Field(default=None, description="default: all but its keys")
    allowed_lag: Duration = Field(
        default="2d",
        validate_default=True,
        description="how far the joined table may end before ours does before we wait for it",
    )

    @property
    def pairs(self) -> dict[str, str]:
        """Our column name to theirs."""
        return self.on if isinstance(self.on, dict) else {name: name for name in self.on}


class Data(Spec):
    """The rows of the model: one dataset, others and feature views joined to it."""

    from_: Name = Field(alias="from")
    join: tuple[Join, ...] = ()
    views: tuple[ViewUse, ...] = ()


class Target(Spec):
    """What is predicted, and when it becomes known."""

    column: str
    at_least: float | None = Field(default=None, description="binary: column >= this is positive")
    positive: str | bool | int | None = Field(
        default=None, description="binary: the positive value"
    )
    delay: Duration = Field(default="0s", validate_default=True)

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if self.at_least is not None and self.positive is not None:
            raise ValueError("at_least and positive both make a binary target; keep one of them")
        return self


class Features(Spec):
    """Which columns are used. Default: every column known at prediction time."""

    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    derive: dict[str, Derived] = Field(
        default={}, description="columns computed from the model's rows, for this model only"
    )
    trust: tuple[str, ...] = Field(
        default=(), description="columns that nearly decide the target and are no leak"
    )


class Split(Spec):
    """The newest part is held out for the gate, the part before it validates the tuning."""

    holdout: Duration | Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.2, description="a duration (needs a time column) or a share of the rows"
    )
    validation: float = Field(default=0.2, gt=0, lt=1, description="share of the training rows")
    by: Literal["time", "group", "random"] | None = Field(
        default=None,
        description="[group when one is named, time when the dataset has a time column, or random]",
    )
    group: str | None = Field(
        default=None, description="rows with one value of this column stay on one side"
    )
    seed: int = Field(default=0, ge=0, description="of the hash that splits by group or at random")
    folds: int = Field(
        default=0, ge=0, le=20, description="walk-forward folds that measure the winner"
    )


class Tune(Spec):
    """The budget of the search over all candidates."""

    trials: int = Field(default=20, ge=1, le=10_000)
    sample: int = Field(default=50_000, ge=100, description="rows a trial trains on at most")
    minutes: float = Field(default=30, gt=0)
    prune: bool = Field(default=True, description="stop a trial early that falls behind")
    warm_start: bool = Field(default=True, description="begin with what the last search found")
    parallel: int = Field(
        default=1, ge=1, le=64, description="tasks that share the search, on as many workers"
    )


class Train(Spec):
    """Estimators by registry name and their search, or the user's own training function."""

    function: str | None = Field(
        default=None,
        description="a registered function that gets frames and returns a fitted estimator",
    )
    candidates: tuple[str, ...] = ("linear", "boosted_trees")
    min_rows: int = Field(default=1000, ge=10, description="training rows needed to begin at all")
    tune: Tune = Tune()
    seed: int = 0
    balance: bool = Field(default=False, description="weigh rows so that every class counts alike")
    weight: str | None = Field(default=None, description="column of sample weights; no feature")
    calibrate: Literal["none", "sigmoid", "isotonic"] = "none"
    shap_rows: int = Field(
        default=2000, ge=0, le=5000, description="rows SHAP explains; 0 leaves it out"
    )

    @property
    def families(self) -> tuple[str, ...]:
        """What is searched over: the candidates, or the user's own function in their place."""
        return (self.function,) if self.function else self.candidates


class VersusChampion(Spec):
    """How a challenger is compared with the champion: paired bootstrap on the same rows."""

    mode: Literal["superior", "non_inferior"] = "non_inferior"
    margin: float = Field(default=0.005, ge=0, description="in units of the primary metric")
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    resamples: int = Field(default=500, ge=100)
    group: str | None = Field(
        default=None,
        description="rows with one value of this column depend on each other, as days do "
        "[the group of the split]",
    )


class Fairness(Spec):
    """How far the groups of a protected column may lie apart; it need not be a feature."""

    columns: tuple[str, ...] = Field(min_length=1, description="protected columns of the dataset")
    demographic_parity: float | None = Field(
        default=None, gt=0, le=1, description="most by which the rate of positive answers differs"
    )
    equalized_odds: float | None = Field(
        default=None, gt=0, le=1, description="most by which true or false positive rates differ"
    )
    error: float | None = Field(
        default=None, gt=0, description="most by which the error differs (rate, or absolute error)"
    )
    min_rows: int = Field(default=100, ge=10, description="smaller groups are named, not judged")


class Robustness(Spec):
    """How much the primary metric may fall when the rows are disturbed; a crash always refuses."""

    noise: float | None = Field(default=None, gt=0, description="numbers moved by 0.1 deviations")
    missing: float | None = Field(default=None, gt=0, description="a tenth of the values missing")
    unseen: float | None = Field(default=None, gt=0, description="a tenth of categories unseen")
    extreme: float | None = Field(default=None, gt=0, description="a tenth of numbers extreme")
    shuffled: float | None = Field(default=None, gt=0, description="any one column shuffled")


class Growth(Spec):
    """How many times as large as the last versions' median a version may be."""

    size: float = Field(default=5.0, gt=1)
    latency: float = Field(default=5.0, gt=1)
    memory: float = Field(default=5.0, gt=1)


class Gate(Spec):
    """Thresholds a challenger must pass; for every metric higher is better (scikit-learn)."""

    primary: str | None = None
    min: float | None = None
    versus_champion: VersusChampion = VersusChampion()
    versus_baseline: float = Field(default=0.0, description="must beat the dummy by more than this")
    versus_linear: float = Field(
        default=0.0, ge=0, description="a model that is not linear must beat the linear one by this"
    )
    calibration: float | None = Field(
        default=None, gt=0, le=1, description="largest expected calibration error"
    )
    fairness: Fairness | None = None
    robustness: Robustness = Robustness()
    behaviour: tuple[str, ...] = Field(
        default=(), description="registered behaviour tests, all of which must pass"
    )
    growth: Growth = Growth()
    discover_slices: int = Field(
        default=0, ge=0, le=20, description="worst slices to look for beside the named ones"
    )
    min_rows: int = Field(default=500, ge=1)
    slices: tuple[str, ...] = ()
    slice_min_rows: int = Field(default=300, ge=1)
    slice_floor: float | None = Field(default=None, description="lowest primary metric of a slice")
    slice_max_regression: float = Field(
        default=0.05, ge=0, description="how much worse than the champion a slice may be"
    )


class Approve(Spec):
    """Who decides after the gate: nobody (auto), a person, or two (four_eyes)."""

    mode: Literal["auto", "manual", "four_eyes"] = "auto"
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = Field(default=(), description="their members may answer too")
    timeout: Duration = Field(
        default="3d", validate_default=True, description="no answer in time is a no"
    )
    remind: Duration = Field(default="1d", validate_default=True)


class Score(Spec):
    """Batch scoring of new rows with the champion."""

    on: Name | None = Field(default=None, description="default: the model's own dataset")
    schedule: str = "@daily"


def _mode_alone(value: Any) -> Any:
    """``approve: auto`` is short for ``approve: {mode: auto}``."""
    return {"mode": value} if isinstance(value, str) else value


class ModelSpec(Spec):
    """A model's whole life; every omitted key has a default."""

    model: Name
    purpose: str = Field(min_length=10, description="what the prediction is for, for whom")
    owner: str
    limits: str = Field(default="", description="where it must not be relied on")
    oversight: str = Field(default="", description="who watches it, and what they can do about it")
    tags: tuple[str, ...] = ()
    task: Task | None = None
    data: Data
    target: Target
    features: Features = Features()
    split: Split = Split()
    train: Train = Train()
    gate: Gate = Gate()
    approve: Annotated[
        Approve, BeforeValidator(_mode_alone, json_schema_input_type=Approve | str)
    ] = Approve()
    freeze: tuple[Freeze, ...] = Field(
        default=(), description="spans of time in which the champion does not change"
    )
    score: Score = Score()
    monitor: Monitor = Monitor()
    retrain: Retrain = Retrain()

    @property
    def scored_on(self) -> str:
        """The dataset whose files are scored: the one that is named, else the model's own."""
        return self.score.on or self.data.from_

"""A feature view: what is known of an entity at a moment, from one dataset, for every model."""

from typing import Self

from pydantic import Field, model_validator

from trimtab.config.dataset import ColumnType
from trimtab.config.spec import Duration, Name, Spec


class Derived(Spec):
    """A column that is computed from other columns of the same row, by SQL or by name."""

    type: ColumnType
    sql: str | None = Field(
        default=None, description="expression over the row's columns, in DuckDB's SQL"
    )
    function: str | None = Field(
        default=None, description="name of a function that trimtab_features registers"
    )
    unit: str | None = None
    description: str = ""

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if (self.sql is None) == (self.function is None):
            raise ValueError("a derived column has either sql or function; give exactly one")
        return self


class FeatureView(Spec):
    """Columns of an entity as of a moment: the newest row that had happened and was known then."""

    view: Name
    owner: str
    description: str = ""
    from_: Name = Field(alias="from", description="the dataset the rows come from")
    entity: tuple[str, ...] = Field(min_length=1, description="columns that name the entity")
    time: str | None = Field(default=None, description="event time [the dataset's time column]")
    known: str | None = Field(
        default=None,
        description="time column: when the row became known; late corrections have a later one",
    )
    delay: Duration = Field(
        default="0s",
        validate_default=True,
        description="without 'known': how long after its event time a row becomes known",
    )
    max_age: Duration | None = Field(
        default=None, description="an older row counts as missing [any age]"
    )
    columns: tuple[str, ...] | None = Field(
        default=None, description="columns of the dataset [all but entity and times]"
    )
    derive: dict[str, Derived] = {}
    online: bool = Field(default=False, description="keep the newest row of each entity online")
    tags: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_moment(self) -> Self:
        if self.known and self.delay:
            raise ValueError("known and delay both say when a row is known; keep one of them")
        return self


class ViewUse(Spec):
    """A feature view in a model: joined at the model's time, or at another time column."""

    view: Name
    on: dict[str, str] | None = Field(
        default=None, description="our column: entity column [columns of the same names]"
    )
    as_of: str | None = Field(default=None, description="our time column [the dataset's time]")
    columns: tuple[str, ...] | None = Field(default=None, description="[all of the view]")
    allowed_lag: Duration = Field(
        default="2d",
        validate_default=True,
        description="how far the view may end before our rows do before we wait for it",
    )

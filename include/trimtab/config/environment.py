"""An environment file: where things live."""

from pydantic import Field

from trimtab.config.freeze import Freeze
from trimtab.config.spec import Name, Spec


class Notify(Spec):
    """Where messages go besides the log. Secrets stay in Airflow connections or variables."""

    webhook: str | None = None


class EnvironmentSpec(Spec):
    """Where the lake, the ledger and the tracking server are. ``embedded`` starts what it needs."""

    environment: Name = "local"
    lake: str = Field(default="lake", description="folder, absolute or relative to the home folder")
    store: str | None = Field(
        default=None,
        description="where tables, staging and quarantine lie: s3://bucket/prefix [the lake]",
    )
    ledger: str = Field(default="embedded", description="'embedded' or an SQLAlchemy URL")
    tracking: str = Field(default="embedded", description="'embedded' or an MLflow tracking URI")
    studies: str = Field(
        default="embedded", description="'embedded' or an SQLAlchemy URL, for shared searches"
    )
    online: str = Field(
        default="embedded",
        description="'embedded', a PostgreSQL URL or redis://…: the newest features of an entity",
    )
    production: bool = Field(
        default=False, description="nothing made from uncommitted code is promoted here"
    )
    cost_per_hour: float | None = Field(
        default=None, ge=0, description="price of one hour of a training machine"
    )
    currency: str = "EUR"
    freeze: tuple[Freeze, ...] = Field(
        default=(), description="spans of time in which no champion changes"
    )
    groups: dict[str, tuple[str, ...]] = Field(
        default={}, description="who may answer approvals: group -> users"
    )
    anchors: tuple[str, ...] = Field(
        default=("anchors",),
        description="folders or s3://bucket/prefix that keep the ledger's head at each promotion",
    )
    notify: Notify = Notify()

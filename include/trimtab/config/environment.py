"""An environment file: where things live."""

from pydantic import Field

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
    notify: Notify = Notify()

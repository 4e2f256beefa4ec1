"""Where a dataset's rows come from: files in a folder or on S3, or a query."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from trimtab.config.spec import Duration, Spec

_PASSWORD = re.compile(r"[^:/]+://[^/@]*:[^@]+@|.*[?&]\w*password=")
Format = Literal["csv", "jsonl", "parquet"]


class Reading(Spec):
    """How the bytes of a file become rows."""

    format: Format = Field(default="csv", description="csv and jsonl may be gzip files, named .gz")
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    null_values: tuple[str, ...] = Field(
        default=("",), description="texts that mean 'no value'; NA is Namibia unless listed here"
    )


class FilesSource(Reading):
    """Files that land in a folder or under an S3 prefix, picked up once they are complete."""

    kind: Literal["files"] = "files"
    uri: str = Field(
        description=(
            "folder (absolute or relative to the home folder), s3://bucket/prefix, or the scheme "
            "of a source of your own; files directly below it count, folders in it do not"
        )
    )
    pattern: str = "*.csv"
    complete: Literal["stable", "success", "checksum"] = Field(
        default="stable",
        description=(
            "stable: unchanged for 'settle'; success: a file _SUCCESS beside it is as new or "
            "newer; checksum: FILE.sha256 lies beside it, and what it says is checked"
        ),
    )
    settle: Duration = Field(default="2s", validate_default=True)
    named: str | None = Field(
        default=None,
        description=(
            "regular expression of the file's whole name whose first group is the partition its "
            "rows belong to, as in 'sales-(2013-01-31)[.]csv' with digits for the date"
        ),
    )
    connection: str | None = Field(
        default=None,
        description="a connection that holds endpoint and credentials; not for folders",
    )
    events: str | None = Field(
        default=None, description="S3 only: URL of the SQS queue that S3 tells of new objects"
    )
    poll: Duration | None = Field(
        default=None, description="time between two looks [1s for a folder, else 30s]"
    )

    @property
    def place(self) -> str:
        """Where the rows come from, for people."""
        return self.uri

    @property
    def opener(self) -> str:
        """Name under which the class that lists and reads it is registered."""
        scheme, separator, _ = self.uri.partition("://")
        return scheme if separator else "folder"

    @property
    def look_every(self) -> timedelta:
        """Time between two looks: a folder is looked at for nothing, a store wants to be paid."""
        return self.poll or timedelta(seconds=1 if self.opener == "folder" else 30)

    @property
    def reading(self) -> Reading:
        """How a file of this source is read."""
        return self

    @model_validator(mode="after")
    def _keys_fit_the_place(self) -> Self:
        if self.events and self.opener != "s3":
            raise ValueError(f"events are for s3://, not {self.uri}; take events out")
        if self.connection and self.opener == "folder":
            raise ValueError(f"the folder {self.uri} needs no connection; take connection out")
        return self


class SqlSource(Spec):
    """A query. With a watermark column only newer rows are read, else each look is a snapshot."""

    kind: Literal["sql"]
    query: str
    connection: str | None = Field(
        default=None, description="name of an Airflow connection (or TRIMTAB_CONN_<NAME>)"
    )
    url: str | None = Field(default=None, description="SQLAlchemy URL, without a password in it")
    watermark: str | None = Field(
        default=None,
        description=(
            "column that only grows, as an update time or a serial number; each look reads the "
            "rows above the greatest value read before. Without it each look reads everything"
        ),
    )
    lag: Duration = Field(
        default="0s",
        validate_default=True,
        description=(
            "watermark of type time: younger rows wait, so that a transaction that commits late "
            "is not passed over"
        ),
    )
    poll: Duration = Field(
        default="1m", validate_default=True, description="time between two looks"
    )

    @property
    def place(self) -> str:
        """Where the rows come from, for people."""
        return f"query on {self.connection or self.url}"

    @property
    def opener(self) -> str:
        """Name under which the class that lists and reads it is registered."""
        return self.kind

    @property
    def look_every(self) -> timedelta:
        """Time between two looks."""
        return self.poll

    @property
    def reading(self) -> Reading:
        """Rows of a query travel as Parquet."""
        return Reading(format="parquet")

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.connection is None) == (self.url is None):
            raise ValueError("a query needs connection or url, not both; name one of them")
        if self.url and _PASSWORD.match(self.url):
            raise ValueError("a password stands in url; put the address into a connection")
        return self


def _kind(value: Any) -> str:
    """Files are what most sources are, so the file need not say it."""
    given = value.get("kind", "files") if isinstance(value, dict) else value.kind
    return str(given)


SourceSpec = Annotated[
    Annotated[FilesSource, Tag("files")] | Annotated[SqlSource, Tag("sql")], Discriminator(_kind)
]

"""Where the contract's expressions are computed: Polars streaming, DuckDB, or the users' Spark."""

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import narwhals as nw
import polars as pl

from trimtab.errors import TrimtabError

MEMORY = "1GB"  # DuckDB spills to disk above it


class Engine(Protocol):
    """The little that is not the same everywhere.

    ``distinct_together``: exact distinct counts may stand beside other aggregates. ``ranks``: it
    has quantiles without interpolation.
    """

    distinct_together: bool
    ranks: bool

    def scan(self, location: str) -> nw.LazyFrame[Any]:
        """Read a Parquet file lazily."""
        ...

    def collect(self, frame: nw.LazyFrame[Any]) -> pl.DataFrame:
        """Run a query with a small result."""
        ...

    def distinct(
        self,
        frame: nw.LazyFrame[Any],
        exact: Mapping[str, Sequence[str]],
        sketched: Mapping[str, str],
    ) -> dict[str, int]:
        """Count different rows of several columns, and estimate different values of one."""
        ...


def open_engine(name: str) -> Engine:
    """Return the engine of this name (``polars``, ``duckdb`` or ``spark``)."""
    engines: dict[str, Callable[[], Engine]] = {"polars": Polars, "duckdb": DuckDB, "spark": Spark}
    return engines[name]()


class Polars:
    """The streaming engine of Polars: the default."""

    distinct_together = True
    ranks = True

    def scan(self, location: str) -> nw.LazyFrame[Any]:
        """Scan the file."""
        return nw.from_native(pl.scan_parquet(location))

    def collect(self, frame: nw.LazyFrame[Any]) -> pl.DataFrame:
        """Collect in batches."""
        native: pl.LazyFrame = frame.to_native()
        return native.collect(engine="streaming")

    def distinct(
        self,
        frame: nw.LazyFrame[Any],
        exact: Mapping[str, Sequence[str]],
        sketched: Mapping[str, str],
    ) -> dict[str, int]:
        """Count in one select."""
        native: pl.LazyFrame = frame.to_native()
        found = native.select(
            *(pl.struct(columns).n_unique().alias(name) for name, columns in exact.items()),
            *(pl.col(c).drop_nulls().approx_n_unique().alias(n) for n, c in sketched.items()),
        )
        return found.collect(engine="streaming").row(0, named=True)


class DuckDB:
    """DuckDB in this process, with bounded memory."""

    distinct_together = True
    ranks = False

    def __init__(self) -> None:
        import duckdb

        self.connection = duckdb.connect()
        self.spill = tempfile.TemporaryDirectory(prefix="trimtab-duckdb-")
        self.connection.execute("SET memory_limit = ?", [MEMORY])
        self.connection.execute("SET temp_directory = ?", [self.spill.name])
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.execute("SET enable_progress_bar = false")
        # DuckDB 2.0 concludes from a file's bounds, which leave NaN out, that there is none
        self.connection.execute("SET disabled_optimizers = 'statistics_propagation'")

    def scan(self, location: str) -> nw.LazyFrame[Any]:
        """Scan the file."""
        return nw.from_native(self.connection.read_parquet(location))

    def collect(self, frame: nw.LazyFrame[Any]) -> pl.DataFrame:
        """Fetch as Arrow."""
        found = pl.DataFrame(frame.to_native().to_arrow_table())
        return found.with_columns(pl.selectors.decimal().cast(pl.Int64))  # its sums are HUGEINT

    def distinct(
        self,
        frame: nw.LazyFrame[Any],
        exact: Mapping[str, Sequence[str]],
        sketched: Mapping[str, str],
    ) -> dict[str, int]:
        """Count in one aggregate."""
        rows = {name: ", ".join(map(_quoted, columns)) for name, columns in exact.items()}
        said = [f"count(DISTINCT row({c})) AS {_quoted(n)}" for n, c in rows.items()]
        said += [
            f"approx_count_distinct({_quoted(c)}) AS {_quoted(n)}" for n, c in sketched.items()
        ]
        table = frame.to_native().aggregate(", ".join(said)).to_arrow_table()
        return pl.DataFrame(table).row(0, named=True)


class Spark:
    """The Spark session of this process, or one on ``SPARK_MASTER`` (all local cores)."""

    distinct_together = False  # Spark copies every row once for each of them
    ranks = False

    def __init__(self) -> None:
        self.session = _session()

    def scan(self, location: str) -> nw.LazyFrame[Any]:
        """Scan the file."""
        frame: nw.LazyFrame[Any] = nw.from_native(self.session.read.parquet(location))
        return frame

    def collect(self, frame: nw.LazyFrame[Any]) -> pl.DataFrame:
        """Fetch row by row: results are small, and Spark's own way asks for an older pandas."""
        native = frame.to_native()
        rows = [row.asDict() for row in native.collect()]
        return pl.DataFrame(rows, schema=native.columns if not rows else None, strict=False)

    def distinct(
        self,
        frame: nw.LazyFrame[Any],
        exact: Mapping[str, Sequence[str]],
        sketched: Mapping[str, str],
    ) -> dict[str, int]:
        """Count each apart: several exact distinct counts in one pass multiply Spark's rows."""
        from pyspark.sql import functions as f

        native = frame.to_native()
        found = {name: native.select(*c).distinct().count() for name, c in exact.items()}
        if sketched:
            said = [f.approx_count_distinct(c, 0.01).alias(n) for n, c in sketched.items()]
            found |= native.agg(*said).first().asDict()
        return found


def _session() -> Any:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ.setdefault("SPARK_LOCAL_HOSTNAME", "localhost")
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise TrimtabError(
            "engine: spark needs PySpark; install trimtab[spark], or set engine: polars"
        ) from error
    try:
        return (
            SparkSession.builder.master(os.environ.get("SPARK_MASTER", "local[*]"))
            .appName("trimtab")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.ui.enabled", "false")
            .getOrCreate()
        )
    except Exception as error:  # Py4J and PySpark each have a family of their own
        raise TrimtabError(
            "engine: spark could not start Spark. It needs a Java runtime (17 or later, JAVA_HOME "
            f"or java on the PATH) and trimtab[spark]; or set engine: polars. Spark says: {error}"
        ) from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

"""Rows of a query. Each look at the database that finds something new makes one Parquet file.

With a watermark column a file holds the rows above the greatest value that was judged before, up
to the greatest one there is; both ends are part of its identity and the ledger remembers them. A
row that appears later with a value below is not seen: let ``lag`` cover the longest transaction.
Without a watermark a file holds everything; the same rows are the same bytes, and a no-op.
"""

import functools
import hashlib
import json
import re
import tempfile
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine

from trimtab.adapters import sql
from trimtab.config.source import SqlSource
from trimtab.data.sources.complete import epoch_ns
from trimtab.data.sources.registry import source
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.types import LandedFile

_READ: dict[str, Callable[[str], Any]] = {
    "int": int,
    "Decimal": Decimal,
    "str": str,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}


@source("sql")
class Query:
    """The query of one dataset."""

    def __init__(self, env: Environment, dataset: str) -> None:
        self.env, self.dataset = env, dataset
        spec = env.project.dataset(dataset)
        self.spec, self.key = cast("SqlSource", spec.source), spec.key
        kinds = {"text": "text", "category": "text", "int": "int"}
        self.wanted = {n: kinds[c.type] for n, c in spec.columns.items() if c.type in kinds}
        self.query = self.spec.query.strip().rstrip(";").replace(":", r"\:")  # no parameters

    @functools.cached_property
    def engine(self) -> Engine:
        """Open the database lazily."""
        name = self.spec.connection
        return sql.open_engine(
            url=self.spec.url, connection=self.env.connections(name) if name else None
        )

    def files(self) -> list[LandedFile]:
        """Return what is new: at most one file. A snapshot is read to see whether it changed."""
        if self.spec.watermark is None:
            return [self._landed("snapshot", self._snapshot_hash())]
        after = self._last()
        until = self._newest(after)
        if until is None:
            return []
        covered = {"watermark": self.spec.watermark, "after": after, "until": _typed(until)}
        return [self._landed(str(until), json.dumps(covered, sort_keys=True))]

    def fetch(self, file: LandedFile, into: Path) -> str:
        """Run the query for the range of ``file``; return the hash of the Parquet file."""
        if self.spec.watermark is None:
            return self._write(into, "", {})
        covered = json.loads(file.tag)
        if covered["after"] != self._last():
            raise NotReadyError(f"{file.name}: its rows were read as part of another range")
        column = sql.quoted(self.engine, self.spec.watermark)
        where = [f"{column} <= :until"]
        bounds = {"until": _value(covered["until"])}
        if covered["after"] is not None:
            where, bounds["after"] = [*where, f"{column} > :after"], _value(covered["after"])
        return self._write(into, f" WHERE {' AND '.join(where)}", bounds)

    def probe(self) -> str:
        """Ask for no row at all."""
        statement = f"SELECT count(*) FROM ({self.query}) AS q WHERE 1 = 0"  # noqa: S608
        sql.value(self.engine, statement, {})
        return f"{self.spec.place} runs"

    def _write(self, into: Path, where: str, bounds: dict[str, Any]) -> str:
        order = [name for name in (self.spec.watermark, *self.key) if name]
        columns = ", ".join(sql.quoted(self.engine, name) for name in dict.fromkeys(order))
        statement = f"SELECT * FROM ({self.query}) AS q{where} ORDER BY {columns}"  # noqa: S608
        sql.write_parquet(self.engine, statement, bounds, into, wanted=self.wanted)
        with into.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def _snapshot_hash(self) -> str:
        with tempfile.TemporaryDirectory() as folder:
            return self._write(Path(folder) / "snapshot.parquet", "", {})

    def _newest(self, after: list[str] | None) -> Any:
        newest = self._greatest(after, None)
        if newest is None or not self.spec.lag:
            return newest
        if not isinstance(newest, datetime):
            raise NotReadyError(f"{self.dataset}: lag needs a watermark of type time; take it out")
        limit = self.env.clock.now() - self.spec.lag
        limit = limit if newest.tzinfo else limit.replace(tzinfo=None)
        return newest if newest <= limit else self._greatest(after, limit)

    def _greatest(self, after: list[str] | None, limit: datetime | None) -> Any:
        column = sql.quoted(self.engine, str(self.spec.watermark))
        tests, bounds = [f"{column} IS NOT NULL"], dict[str, Any]()
        if after is not None:
            tests, bounds["after"] = [*tests, f"{column} > :after"], _value(after)
        if limit is not None:
            tests, bounds["limit"] = [*tests, f"{column} <= :limit"], limit
        where = " AND ".join(tests)
        statement = f"SELECT max({column}) FROM ({self.query}) AS q WHERE {where}"  # noqa: S608
        return sql.value(self.engine, statement, bounds)

    def _last(self) -> list[str] | None:
        """Return the end of the last range that was judged, as it stands in the ledger."""
        last = None
        for event in self.env.ledger.events("sighting", self.dataset):
            if covered := _covered(event.key):
                last = covered["until"] if covered["watermark"] == self.spec.watermark else last
        return last

    def _landed(self, what: str, tag: str) -> LandedFile:
        digest = hashlib.sha256(self.spec.query.encode()).hexdigest()[:8]
        what = re.sub(r"[^0-9A-Za-z]+", "-", what)[:60]
        return LandedFile(
            dataset=self.dataset,
            name=f"{self.dataset}-{digest}-{what}.parquet",
            uri=self.spec.place,
            size=0,
            mtime_ns=epoch_ns(self.env.clock.now()),
            tag=tag,
        )


def _covered(sighting: str) -> dict[str, Any] | None:
    _, _, tag = sighting.partition(":")
    return json.loads(tag) if tag.startswith("{") else None


def _typed(bound: Any) -> list[str]:
    name = type(bound).__name__
    if name not in _READ:
        raise NotReadyError(f"a watermark cannot be a {name}; use a number, a text or a time")
    written = bound.isoformat() if isinstance(bound, date) else str(bound)
    if len(written) > 80:  # the ledger remembers two of them in one key
        raise NotReadyError(f"a watermark of {len(written)} characters is too long; at most 80")
    return [name, written]


def _value(typed: list[str]) -> Any:
    kind, written = typed
    return _READ[kind](written)

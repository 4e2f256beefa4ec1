"""Find the rows of a whole file that share a key, in bounded memory."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.data import keys
from trimtab.data.text import FINDINGS
from trimtab.types import ROW

_HASH = "_hash"
_MOST = 500_000  # rows looked at together


class Keys:
    """Collects 16 bytes a row while a file is read: its position and a hash of its key."""

    def __init__(self, spec: DatasetSpec) -> None:
        self._spec = spec
        self._seen: list[pl.DataFrame] = []

    def add(self, rows: pl.DataFrame) -> None:
        """Note the keys of these good rows."""
        self._seen.append(rows.select(ROW, pl.struct(*self._spec.key).hash().alias(_HASH)))

    def findings(self, rows: Path) -> pl.DataFrame:
        """Judge the rows whose key's hash is not alone, read again from the Parquet file."""
        shared = self._shared()
        found = [self._repeated(rows, part) for part in _parts(shared)]
        return pl.concat(found) if found else pl.DataFrame(schema=FINDINGS)

    def _shared(self) -> pl.DataFrame:
        if not self._seen:
            return pl.DataFrame(schema={ROW: pl.Int64, _HASH: pl.UInt64})
        ordered = pl.concat([seen[_HASH] for seen in self._seen]).sort()
        twice = ordered.filter(ordered == ordered.shift()).unique()
        if twice.is_empty():
            return self._seen[0].clear()
        return pl.concat([s.filter(s[_HASH].is_in(twice.implode())) for s in self._seen])

    def _repeated(self, rows: Path, positions: Sequence[int] | pl.Series) -> pl.DataFrame:
        wanted = pl.Series(positions).implode()
        part = pl.scan_parquet(rows).filter(pl.col(ROW).is_in(wanted)).collect(engine="streaming")
        return keys.repeated(part, self._spec)


def _parts(shared: pl.DataFrame) -> Iterator[pl.Series]:
    """Positions in parts of bounded size, all rows of one hash in the same part."""
    ordered = shared.sort(_HASH)
    start = 0
    while start < ordered.height:
        end = min(start + _MOST, ordered.height)
        last = ordered[_HASH][end - 1]
        end = int(ordered[_HASH].search_sorted(last, side="right"))
        yield ordered[ROW][start:end]
        start = end

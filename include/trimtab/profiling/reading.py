"""Read any file a dataset can land as, with every cell as the text it was."""

import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import polars as pl
from polars.exceptions import PolarsError

from trimtab.config.source import Format
from trimtab.errors import DataError

MOST_ROWS = 2_000_000  # what is looked at of a longer file; memory is bounded by it
EXAMPLES = 5
_DELIMITERS = (",", ";", "\t", "|")
_FORMATS: dict[str, Format] = {".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}


@dataclass(frozen=True)
class Table:
    """A file as text: column names as in its header, null where there was no cell at all."""

    file: Path
    format: Format
    delimiter: str
    rows: pl.DataFrame
    ragged: tuple[tuple[int, str], ...] = ()  # position (1 = first data row) and what is wrong
    ragged_count: int = 0
    whole: bool = True  # False: only the first MOST_ROWS rows were looked at


def read(file: Path) -> Table:
    """Read ``file`` by its name's ending: CSV unless it says Parquet or JSON Lines.

    Raises:
        DataError: it is no table, with every problem of its header at once.
    """
    name = file.name.lower().removesuffix(".gz")
    kind = _FORMATS.get(Path(name).suffix, "csv")
    try:
        table = _READERS[kind](file)
    except (OSError, EOFError) as error:
        raise DataError(f"{file}: cannot be read: {error}; check the file and its ending") from None
    except PolarsError as error:
        first = str(error).splitlines()[0]
        raise DataError(f"{file}: is no {kind} file: {first}; check content and ending") from None
    if table.rows.is_empty():
        raise DataError(f"{file}: has a header and no row below it; nothing can be learned from it")
    return table


def _csv(file: Path) -> Table:
    with _opened(file) as stream:
        head = stream.read(256_000)
    _check_text(file, head)
    text = head.decode("utf-8-sig", errors="ignore")
    delimiter = _delimiter(text)
    header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    check_header(file, header)
    rows, torn = _parsed(file, delimiter)
    short = rows.with_row_index("_at", offset=1).filter(pl.col(header[-1]).is_null())
    ragged = [(int(at), "has fewer cells than the header") for at in short["_at"].head(EXAMPLES)]
    long = _long_rows(file, delimiter, len(header)) if torn else []
    ragged += [(at, f"has {cells} cells, the header {len(header)}") for at, cells in long]
    kept = rows.filter(pl.col(header[-1]).is_not_null())
    return Table(
        file,
        "csv",
        delimiter,
        kept,
        tuple(ragged[: 2 * EXAMPLES]),
        short.height + len(long),
        rows.height < MOST_ROWS,
    )


def _parsed(file: Path, delimiter: str) -> tuple[pl.DataFrame, bool]:
    """Parse all cells as text; whether there are rows with more cells than the header."""

    def parse(*, torn: bool) -> pl.DataFrame:
        try:
            return pl.read_csv(
                file,
                separator=delimiter,
                infer_schema=False,
                empty_string_is_null=False,
                n_rows=MOST_ROWS,
                truncate_ragged_lines=torn,
            )
        except UnicodeDecodeError as error:
            raise DataError(f"{file}: is not UTF-8; save it as UTF-8") from error

    try:
        return parse(torn=False), False
    except PolarsError as error:
        if "utf" in str(error).lower():
            raise DataError(f"{file}: is not UTF-8; save it as UTF-8") from None
        return parse(torn=True), True


def _long_rows(file: Path, delimiter: str, cells: int) -> list[tuple[int, int]]:
    with _opened(file) as stream:
        lines = io.TextIOWrapper(stream, "utf-8-sig", newline="")
        records = enumerate((r for r in csv.reader(lines, delimiter=delimiter) if r), start=0)
        return [(at, len(record)) for at, record in records if len(record) > cells]


def _jsonl(file: Path) -> Table:
    with _opened(file) as stream:
        rows = pl.read_ndjson(stream.read(), infer_schema_length=None)
    check_header(file, rows.columns)
    return Table(file, "jsonl", ",", _as_text(file, rows))


def _parquet(file: Path) -> Table:
    scan = pl.scan_parquet(file)
    check_header(file, scan.collect_schema().names())
    rows = scan.head(MOST_ROWS).collect()
    return Table(file, "parquet", ",", _as_text(file, rows), whole=rows.height < MOST_ROWS)


_READERS = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}


def check_header(file: Path, header: list[str]) -> None:
    """Refuse names a contract cannot have; all of them at once.

    Raises:
        DataError: a name is missing, stands twice, or begins with an underscore.
    """
    problems = [
        f"column {i} has no name; write one into the header"
        for i, name in enumerate(header, start=1)
        if not name.strip()
    ]
    problems += [
        f"column {name!r} stands {times} times; rename all but one"
        for name, times in Counter(header).items()
        if times > 1 and name.strip()
    ]
    problems += [
        f"column {name!r} begins with _, which trimtab keeps for itself; rename it"
        for name in header
        if name.startswith("_")
    ]
    if not header:
        problems = ["is empty; a header and rows below it are needed"]
    if problems:
        raise DataError(f"{file}, header: " + "; ".join(problems))


def _check_text(file: Path, head: bytes) -> None:
    if not head.strip():
        raise DataError(f"{file}: is empty; a header and rows below it are needed")
    if (at := head.find(b"\0")) >= 0:
        raise DataError(
            f"{file}: byte {at} is NUL: UTF-16, or no text at all; save it as UTF-8 CSV, "
            "or name Parquet files .parquet and gzip files .gz"
        )
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # the head may end inside a character
            line = head[: error.start].count(b"\n") + 1
            raise DataError(
                f"{file}, line {line}: byte {error.start} is not UTF-8 ({error.reason}); "
                "save the file as UTF-8"
            ) from None


def _delimiter(text: str) -> str:
    """Return the delimiter that cuts the first lines into the most equal pieces."""
    sample = io.StringIO(text, newline="").readlines()[:50]

    def pieces(delimiter: str) -> int:
        found = [len(record) for record in csv.reader(sample, delimiter=delimiter) if record]
        same = Counter(found).most_common(1)[0] if found else (1, 0)
        return same[0] if same[1] > 0.8 * len(found) else 1

    return max(_DELIMITERS, key=pieces)


def _as_text(file: Path, rows: pl.DataFrame) -> pl.DataFrame:
    nested = [n for n, kind in rows.schema.items() if kind.is_nested() or kind == pl.Binary]
    if nested:
        raise DataError(
            f"{file}: columns {nested} hold lists, objects or bytes; a contract has plain "
            "columns, so write one column per part"
        )
    return rows.select(_texts(rows))


def _texts(rows: pl.DataFrame) -> Iterator[pl.Expr]:
    for name, kind in rows.schema.items():
        column = pl.col(name)
        if isinstance(kind, pl.Datetime):
            zoned = column.dt.convert_time_zone("UTC") if kind.time_zone else column
            column = zoned.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f" + ("Z" if kind.time_zone else ""))
        yield column.cast(pl.String)


def _opened(file: Path) -> IO[bytes]:
    if file.name.lower().endswith(".gz"):
        return gzip.open(file, "rb")  # type: ignore[return-value]
    return file.open("rb")

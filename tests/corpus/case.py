"""What a case is: how its file is made, and the verdict it must get."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.corpus import shop

NAME = "orders-2026-03-05"
CASES: "dict[str, Case]" = {}


@dataclass(frozen=True)
class Expected:
    """``reason`` of the verdict and, for rows set aside, their exact number by reason."""

    verdict: str
    reason: str = "ok"
    quarantined: Mapping[str, int] = field(default_factory=dict)


def refused(reason: str) -> Expected:
    return Expected("rejected", reason)


def aside(**counts: int) -> Expected:
    return Expected("accepted", quarantined=counts)


ACCEPTED = Expected("accepted")


@dataclass(frozen=True)
class Case:
    """``make`` writes the file of one form into a folder; ``before`` what is ingested earlier."""

    id: str
    expected: Expected
    make: Callable[[Path, str], Path]
    forms: tuple[str, ...] = ("csv",)
    contract: Mapping[str, Any] = field(default_factory=dict)
    before: Callable[[Path, str], list[Path]] = lambda folder, form: []
    published: bool = False  # what comes before is published, too
    during: Callable[[Path], Any] | None = None  # a context that lasts while the file is judged
    rows: Callable[[], list[shop.Row]] = shop.good_rows  # what is in it, as it was delivered


Register = Callable[[Callable[..., Any]], Callable[..., Any]]


def on_rows(number: str, expected: Expected, *, parquet: bool = False, **more: Any) -> Register:
    """A case whose function changes the rows of a good day; runs in every format that has it."""
    forms = ("csv", "gz", "jsonl", *(["parquet"] * parquet))

    def register(change: Callable[[list[shop.Row]], list[shop.Row] | None]) -> Any:
        def rows() -> list[shop.Row]:
            day = shop.good_rows()
            changed = change(day)
            return day if changed is None else changed

        def make(folder: Path, form: str) -> Path:
            return write(folder, form, shop.to_bytes(rows(), form))

        return add(Case(number, expected, make, forms, rows=rows, **more), change)

    return register


def on_text(number: str, expected: Expected, **more: Any) -> Register:
    """A case whose function changes the CSV text of a good day; runs as .csv and .csv.gz."""

    def register(change: Callable[[str], str | bytes]) -> Any:
        def make(folder: Path, form: str) -> Path:
            changed = change(shop.to_csv(shop.good_rows()))
            data = changed.encode() if isinstance(changed, str) else changed
            return write(folder, form, shop.zipped(data) if form == "gz" else data)

        return add(Case(number, expected, make, ("csv", "gz"), **more), change)

    return register


def on_folder(number: str, expected: Expected, form: str = "csv", **more: Any) -> Register:
    """A case whose function writes the file itself and returns its path."""

    def register(make: Callable[[Path], Path]) -> Any:
        return add(Case(number, expected, lambda folder, _: make(folder), (form,), **more), make)

    return register


def write(folder: Path, form: str, data: bytes, name: str = NAME) -> Path:
    """Write a file of one form under the usual name."""
    file = folder / f"{name}.{shop.SUFFIX[form]}"
    file.write_bytes(data)
    return file


def good(folder: Path, name: str = f"{NAME}.csv") -> Path:
    """Write a good file under any name."""
    file = folder / name
    file.write_bytes(shop.to_bytes(shop.good_rows(), "csv"))
    return file


def add(case: Case, function: Any) -> Any:
    """Put a case on the list, under a number of its own."""
    if case.id in CASES:
        raise ValueError(f"two cases {case.id}")
    CASES[case.id] = case
    return function

"""E: values. F: keys, time, label."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from tests.corpus import shop
from tests.corpus.case import ACCEPTED, NAME, Case, Expected, add, aside, on_rows, refused, write

Rows = list[shop.Row]


def _put(column: str, *cells: str) -> Callable[[Rows], None]:
    """Put cells into rows far from each other."""

    def change(rows: Rows) -> None:
        for position, cell in enumerate(cells):
            rows[11 + 17 * position][column] = cell

    return change


def cells(number: str, expected: Expected, column: str, *texts: str, parquet: bool = False) -> None:
    """A case that differs from a good day in a few cells of one column."""
    on_rows(number, expected, parquet=parquet)(_put(column, *texts))


cells("E01", aside(bad_type=2), "age", "forty", "n/a")


@on_rows("E02", refused("column_type_flip"))
def type_flip(rows: Rows) -> None:
    for row in rows:
        row["age"] = "about " + row["age"]


cells("E03", aside(not_finite=3), "price", "inf", "-inf", "NaN", parquet=True)
cells("E04", aside(bad_type=2), "price", "12,50", "9,99")
cells("E05", aside(bad_type=1), "price", "1,234.50")
cells("E06", aside(bad_type=1), "price", "€12.50")
cells("E07", aside(out_of_range=2), "age", "999", "-1", parquet=True)
cells("E08", aside(out_of_range=1), "price", "1e308", parquet=True)
cells("E09", aside(bad_type=1), "items", "33.7")
cells("E10", aside(bad_type=1), "items", "\uff11\uff12")
cells("E11", aside(bad_type=1), "items", "3_3")
cells("E12", ACCEPTED, "order_id", "00000001", "00000002", parquet=True)
cells("E13", aside(null_not_allowed=2), "order_id", "", "", parquet=True)
cells("E14", ACCEPTED, "country", "NA", "NA", "NA", parquet=True)


@on_rows("E15", refused("column_all_null"), parquet=True)
def all_null(rows: Rows) -> None:
    for row in rows:
        row["note"] = ""


@on_rows("E16", refused("too_many_bad_rows"))
def many_bad(rows: Rows) -> None:
    for row in rows[:60]:
        row["price"] = "free"


cells("E17", aside(bad_enum=2), "channel", "fax", "Web", parquet=True)


@on_rows("E18", refused("cardinality"), parquet=True)
def cardinality(rows: Rows) -> None:
    for position, row in enumerate(rows):
        row["coupon"] = f"C{position}"


cells("E19", aside(formula_injection=2), "note", '=HYPERLINK("http://x")', "@SUM(A1)", parquet=True)
cells("E20", aside(bad_id_format=2), "order_id", "1e5", " 00000007", parquet=True)
cells("E21", aside(bad_enum=2), "returned", "True", "yes", parquet=True)
cells("E22", aside(bad_enum=2), "channel", "x'; DROP TABLE orders;--", "{{ 7 * 7 }}", parquet=True)


@on_rows("F01", aside(duplicate_key=1), parquet=True)
def exact_duplicate(rows: Rows) -> Rows:
    return [*rows, rows[20]]


@on_rows("F02", aside(conflicting_key=2), parquet=True)
def conflict(rows: Rows) -> Rows:
    return [*rows, {**rows[20], "price": "1.00"}]


@on_rows("F03", refused("too_many_duplicates"), parquet=True)
def every_row_twice(rows: Rows) -> Rows:
    return rows + rows


cells(
    "F04",
    aside(future_timestamp=2),
    "ordered_at",
    "2031-01-01T00:00:00Z",
    "2126-03-05T10:00:00Z",
    parquet=True,
)
cells("F05", aside(outside_partition=1), "ordered_at", "2026-03-04T23:59:59Z", parquet=True)
cells("F06", ACCEPTED, "ordered_at", "2026-03-05T00:00:00Z", parquet=True)
cells("F07", aside(outside_partition=1), "ordered_at", "2026-03-06T00:00:00Z", parquet=True)
cells("F08", aside(naive_timestamp=2), "ordered_at", "2026-03-05T10:00:00", "2026-03-05 11:00")
cells("F09", ACCEPTED, "ordered_at", "2026-03-05T10:00:00+02:00", "2026-03-06T01:30:00+02:00")
cells("F10", aside(bad_type=1), "ordered_at", "01/02/2026")
cells("F11", aside(bad_type=1), "ordered_at", "1772704800000")
cells("F12", aside(bad_type=2), "ordered_at", "2026-02-30T10:00:00Z", "2026-03-05T25:00:00Z")


@on_rows("F13", refused("single_class"), parquet=True)
def single_class(rows: Rows) -> None:
    for row in rows:
        row["returned"] = "0"


cells("F14", aside(null_not_allowed=3), "returned", "", "", "", parquet=True)


@on_rows("F15", refused("label_leak"), parquet=True)
def leak(rows: Rows) -> None:
    for position, row in enumerate(rows):
        row["price"] = f"{100 * int(row['returned']) + position % 90 + 1}.50"


@on_rows("F16", refused("partition_mismatch"), parquet=True)
def other_day(_rows: Rows) -> Rows:
    return shop.good_rows(shop.DAY - timedelta(days=1))


def _week(folder: Path, form: str) -> list[Path]:
    """Six good days before."""
    days = [shop.DAY - timedelta(days=back) for back in range(6, 0, -1)]
    return [
        write(folder, form, shop.to_bytes(shop.good_rows(day), form), f"orders-{day:%Y-%m-%d}")
        for day in days
    ]


@on_rows("F17", refused("volume_anomaly"), parquet=True, before=_week)
def volume(_rows: Rows) -> Rows:
    return shop.good_rows(count=1_100)


@on_rows("F18", refused("distribution_shift"), parquet=True, before=_week)
def unit_change(rows: Rows) -> None:
    for row in rows:
        row["price"] = f"{float(row['price']) * 100:.0f}"


def _impossible(folder: Path, form: str) -> Path:
    data = shop.to_bytes(shop.good_rows(), form)
    return write(folder, form, data, NAME.replace("03-05", "02-30"))


_FORMS = ("csv", "gz", "jsonl", "parquet")
add(Case("F19", refused("bad_filename"), _impossible, _FORMS), _impossible)


@on_rows("F20", refused("constant_column"), parquet=True)
def constant(rows: Rows) -> None:
    for row in rows:
        row["till"] = "3"


THREE = {"columns": {"returned": {"type": "category", "values": ["0", "1", "2"]}}}


@on_rows("F21", refused("class_missing"), parquet=True, contract=THREE)
def class_missing(rows: Rows) -> None:
    pass


cells("F22", aside(bad_type=1), "ordered_at", "2026-03-05T23:59:60Z")
cells("F23", ACCEPTED, "ordered_at", "2026-03-05T10:00:00.123456Z", parquet=True)

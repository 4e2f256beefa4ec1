"""Derived columns: the declared type, the same rows, their own row only."""

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from trimtab.config.view import Derived
from trimtab.errors import DataError, TrimtabError
from trimtab.features import derive, registry

ROWS = pl.DataFrame(
    {"a": [1, 2, None, 4], "b": ["x", None, "y", "10"], "k m": [0.5, 0.0, 1.0, 2.0]}
)


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_REGISTRY", {})


def made(rows: pl.DataFrame = ROWS, **given: Any) -> list[Any]:
    return derive.add(rows, {"new": Derived(**given)}, rows.columns, "model m")["new"].to_list()


@pytest.mark.parametrize(
    ("kind", "sql", "expected"),
    [
        ("int", "a * 2", [2, 4, None, 8]),
        ("float", '"k m" / nullif("k m", 0)', [1.0, None, 1.0, 1.0]),
        ("float", "CAST('nan' AS DOUBLE)", [None] * 4),
        ("bool", "a > 1", [False, True, None, True]),
        ("text", "coalesce(b, 'none')", ["x", "none", "y", "10"]),
        ("category", "a", ["1", "2", None, "4"]),
        ("int", "TRY_CAST(b AS INT)", [None, None, None, 10]),
        ("int", "7 -- always", [7] * 4),
    ],
)
def test_sql_gives_the_declared_type(kind: str, sql: str, expected: list[Any]) -> None:
    assert made(type=kind, sql=sql) == expected


def test_times_stay_times() -> None:
    rows = pl.DataFrame(
        {"hour": pl.Series(["2026-01-01T05:30:00Z"]).str.to_datetime(time_zone="UTC")}
    )
    later = Derived(type="time", sql='"hour" + INTERVAL 1 HOUR')
    frame = derive.add(
        rows, {"later": later, "h": Derived(type="int", sql="hour(later)")}, ["hour"], "m"
    )
    assert frame.schema["later"] == pl.Datetime("us", "UTC")
    assert frame["h"].to_list() == [6]


def test_no_rows_and_many_rows_keep_their_order() -> None:
    assert made(ROWS.clear(), type="int", sql="a + 1") == []
    many = pl.DataFrame({"a": range(300_000)})
    assert made(many, type="int", sql="a + 1") == list(range(1, 300_001))


def test_what_cannot_be_cast_is_told_with_the_column() -> None:
    with pytest.raises(
        DataError, match="model m: the derived column new cannot be computed as int"
    ):
        made(type="int", sql="b")


def test_a_file_is_out_of_reach_even_without_the_check(tmp_path: Path) -> None:
    """The check refuses a query inside; the database behind it would too."""
    (tmp_path / "x.csv").write_text("a\n1\n")
    connection = derive.expression.locked()
    inside = Derived(type="int", sql=f"(SELECT count(*) FROM read_csv('{tmp_path / 'x.csv'}'))")
    with pytest.raises(DataError, match="cannot be computed as int: Permission Error"):
        derive._made(connection, ROWS.with_row_index("_index"), "new", inside, "model m")


def test_sql_that_looks_at_other_rows_is_found_by_computing_again() -> None:
    connection = derive.expression.locked()
    rows = pl.DataFrame({"a": range(1000)}).with_row_index("_index")
    looks = Derived(type="int", sql="sum(a) OVER (ORDER BY a)")
    with pytest.raises(DataError, match="gives other values for a part of the rows"):
        derive._checked(connection, rows, "new", looks, "model m")


@pytest.mark.parametrize(
    "compute",
    [
        lambda f: f["a"] - f["a"].mean(),
        lambda f: f["a"].rank(),
        lambda f: f["a"].shift(),
        lambda f: pd.Series(range(len(f))),
        lambda f: f["a"].cumsum(),
    ],
    ids=["mean", "rank", "shift", "position", "cumulative"],
)
def test_a_function_that_looks_at_other_rows_is_refused(compute: Any) -> None:
    registry.feature("looks", reads=("a",))(compute)
    rows = pl.DataFrame({"a": [float(i) for i in range(1000)]})
    with pytest.raises(DataError, match="new gives other values for a part of the rows"):
        made(rows, type="float", function="looks")


def test_a_function_gets_what_it_reads() -> None:
    seen: list[list[str]] = []
    registry.feature("some", reads=("k m",))(lambda f: seen.append(list(f.columns)) or f["k m"] * 2)
    registry.feature("all")(lambda f: seen.append(list(f.columns)) or f["a"])
    assert made(type="float", function="some") == [1.0, 0.0, 2.0, 4.0]
    assert made(type="int", function="all") == [1, 2, None, 4]
    assert (seen[0], seen[-1]) == (["k m"], ["a", "b", "k m"])


@pytest.mark.parametrize(
    ("compute", "reason"),
    [
        (lambda f: f["a"].head(2), "has 2 values for 4 rows"),
        (lambda f: f["a"].to_numpy(), "returned ndarray, not a pandas Series"),
        (lambda f: f["nothing"], "cannot be computed as float: 'nothing'"),
        (lambda f: f["b"], "cannot be computed as float: "),
    ],
)
def test_a_function_that_fails_is_named(compute: Any, reason: str) -> None:
    registry.feature("fails")(compute)
    with pytest.raises(DataError, match=rf"model m: the derived column new .*{reason}"):
        made(type="float", function="fails")


def test_a_closure_is_what_must_be_computed_and_read() -> None:
    columns = {
        "x": Derived(type="int", sql="a + 1"),
        "unused": Derived(type="int", sql="b"),
        "y": Derived(type="int", sql='x + "k m"'),
    }
    found = derive.closure(["y", "b"], columns, ROWS.columns)
    assert list(found.columns) == ["x", "y"]
    assert set(found.reads) == {"a", "k m"}
    given = derive.closure(["y"], columns, ROWS.columns, given=["x"])
    assert (list(given.columns), set(given.reads)) == (["y"], {"x", "k m"})


def test_a_users_module_registers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "trimtab_features_of_test"
    monkeypatch.setattr(registry, "USER_MODULE", module)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TrimtabError, match="there is no feature function 'twice'"):
        registry.get("twice")
    (tmp_path / f"{module}.py").write_text(
        "from trimtab.features.registry import feature\n"
        "@feature('twice', reads=('a',))\ndef twice(rows):\n    return rows['a'] * 2\n"
    )
    assert dict(registry.functions()) == {"twice": ("a",)}
    assert "return rows['a'] * 2" in registry.source("twice")
    with pytest.raises(TrimtabError, match=f"'twice' is registered by {module} already"):
        registry.feature("twice")(lambda rows: rows["a"])


def test_a_users_module_that_breaks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "USER_MODULE", "trimtab_features_that_break")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "trimtab_features_that_break.py").write_text("1 / 0\n")
    with pytest.raises(TrimtabError, match="cannot be imported: ZeroDivisionError"):
        registry.functions()

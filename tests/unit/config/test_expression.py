"""A SQL expression sees the columns of its row and nothing else: no file, no network, no clock."""

from pathlib import Path

import duckdb
import pytest

from trimtab.config import expression
from trimtab.config.dataset import ColumnType
from trimtab.config.expression import ExpressionError

TYPES: dict[str, ColumnType] = {"a": "int", "b": "text", "at": "time", "k m": "float"}


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("a + 1", ("a",)),
        ("b || 'x'", ("b",)),
        ('"k m" * a', ("k m", "a")),
        ('hour("at")', ("at",)),
        ("CASE WHEN a > 1 THEN 'x' END -- a comment", ("a",)),
        ("list_sum(list_transform([1, 2], lambda y: y + a))", ("a",)),
        ("coalesce(a, 0) / nullif(a, 0)", ("a",)),
        ("1", ()),
    ],
)
def test_an_expression_names_what_it_reads(sql: str, reads: tuple[str, ...]) -> None:
    assert expression.bind(sql, "text", TYPES) == reads


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("a +", "is no SQL expression: syntax error"),
        ("hour(at)", 'stands in quotes: "at"'),
        ("c + 1", "reads 'c', which is no column"),
        ("t", "reads 't', which is no column"),
        ("rowid", "reads 'rowid', which is no column"),
        ("b + 1", "does not work on its columns: Binder Error"),
        ("sum(a)", "its own row only"),
        ("first(a)", "its own row only"),
        ("count(*)", "its own row only"),
        ("sum(a) OVER ()", "window function"),
        ("lag(a) OVER (ORDER BY b)", "window function"),
        ("unnest([a])", "its own row only"),
        ("(SELECT max(a) FROM t)", "query inside"),
        ("a IN (SELECT a FROM t)", "query inside"),
        ("*", r"has a \*"),
        ("columns('a')", r"has a \*"),
        ("$1", "has a parameter"),
        ("random()", r"calls random\(\)"),
        ("now()", r"calls now\(\)"),
        ("ago(INTERVAL 1 DAY)", r"calls ago\(\)"),
        ('age("at")', r"calls age\(\)"),
        ("current_date", "reads 'current_date', which is no column"),
        ("current_setting('threads')", r"calls current_setting\(\)"),
        ("a; DROP TABLE t", "is no SQL expression"),
        ("a) FROM t; COPY t TO 'x.csv'; SELECT (1", "is no|is more than one"),
        ("a) FROM t UNION ALL SELECT (1", "is more than one expression"),
        ("a) FROM read_text('/etc/hostname') WHERE (true", "is no|is more than one"),
        ("(SELECT content FROM read_text('/etc/hostname'))", "query inside"),
        ("read_csv('/etc/hostname')", "does not work on its columns"),
        ("getenv('HOME')", "does not work on its columns"),
    ],
)
def test_what_is_no_function_of_one_row_is_refused(sql: str, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason):
        expression.bind(sql, "text", TYPES)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM glob('{file}')",
        "COPY (SELECT 1) TO '{file}.out'",
        "EXPORT DATABASE '{file}.out'",
        "ATTACH '{file}.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM read_csv('http://localhost:1/x.csv')",
        "SELECT * FROM 's3://bucket/x.parquet'",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "RESET enable_external_access",
    ],
)
def test_the_database_behind_it_is_locked(query: str, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a\n1\n")
    with pytest.raises(duckdb.Error, match=r"disabled|locked|not exist|Cannot"):
        expression.locked().execute(query.format(file=file))
    assert [each.name for each in tmp_path.iterdir()] == ["x.csv"]


@pytest.mark.parametrize(("sql", "kind"), [("a * 2", "time"), ('"at"', "float"), ("[a]", "int")])
def test_a_type_that_no_value_can_become_is_refused(sql: str, kind: ColumnType) -> None:
    with pytest.raises(ExpressionError, match=r"does not work on its columns: .*cast"):
        expression.bind(sql, kind, TYPES)


def test_times_are_told_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    found = expression.locked().execute("SELECT hour(TIMESTAMPTZ '2026-01-01 05:00:00Z')")
    assert found.fetchone() == (5,)

"""Random tables and random expectations, and what Great Expectations' own engine says of them."""

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from trimtab.adapters import gx, gx_engine
from trimtab.adapters.gx import Expectation

WORDS = [
    "",
    "a",
    "b",
    "ab",
    "A1",
    "x\ny",
    "naïve",
    "żółć",
    "日本",
    "🙂🙂",
    "NA",
    "0010",
    "a b",
    "١٢",
]
START = datetime(2020, 1, 1, tzinfo=UTC)
SCHEMA = {
    "i": pl.Int64, "j": pl.Int64, "big": pl.Int64, "f": pl.Float64, "g": pl.Float64,
    "s": pl.String, "r": pl.String, "b": pl.Boolean, "t": pl.Datetime("us", "UTC"),
    "u": pl.Datetime("us", "UTC"), "none": pl.String,
}  # fmt: skip
PATTERNS = [
    "a", "^a", "b$", r"^\w+$", r"\d", r"^[^a]*$", r"[\d\s]", r"^.$", r"\A(?:[a-z]{1,2})\Z", r"a|x",
    r"\S\s\S", "[A-Z]", r"(?:ab)+", r"^\W", r"(?<=a)b",
]  # fmt: skip


def table(rng: random.Random) -> pl.DataFrame:
    """A small table: empty, full of nulls, of duplicates, of one value, or ordinary."""
    rows = rng.choice([0, 1, 2, 7, 40])
    missing = rng.choice([0, 0, 0.2, 0.9, 1])
    spread = rng.choice([1, 3, 50])

    def column(make: Any) -> list[Any]:
        return [None if rng.random() < missing else make() for _ in range(rows)]

    def real() -> float:
        return (
            rng.choice([math.nan, 0.0, -0.0, 0.5]) if rng.random() < 0.2 else rng.gauss(0, spread)
        )

    made = {
        "i": column(lambda: rng.randint(-spread, spread)),
        "j": column(lambda: rng.randint(-spread, spread)),
        # whole above 2**53: Great Expectations turns integers with nulls into floats
        "big": [rng.randint(2**60, 2**60 + spread) for _ in range(rows)],
        "f": column(real),
        "g": column(real),
        "s": column(lambda: rng.choice(WORDS[: 1 + spread])),
        "r": column(lambda: rng.choice(WORDS[: 1 + spread])),
        "b": column(lambda: rng.random() < 0.5),
        "t": column(lambda: START + timedelta(hours=rng.randint(0, spread))),
        "u": column(lambda: START + timedelta(hours=rng.randint(0, spread))),
        "none": [None] * rows,
    }
    return pl.DataFrame(made, schema=SCHEMA, strict=True)


def expectations(rng: random.Random, kinds: list[str]) -> Iterator[Expectation]:
    """One expectation of every kind, with random arguments."""
    for kind in kinds:
        kwargs = _arguments(rng, kind)
        if kind.startswith("expect_column_") and "_to_be_between" in kind and "values" not in kind:
            kwargs |= _strict(rng)
        yield {"type": kind, "kwargs": kwargs, "severity": "block"}


def ask_gx(frame: pl.DataFrame, asked: list[Expectation]) -> dict[int, Any]:
    built = {i: gx.build(i, item) for i, item in enumerate(asked)}
    good = {i: item for i, item in built.items() if not isinstance(item, str)}
    return gx_engine.run(frame, good, name="oracle")


def _arguments(rng: random.Random, kind: str) -> dict[str, Any]:
    number, any_column = rng.choice("ijfg"), rng.choice([*"ijfgsrtub", "none", "big"])
    text = rng.choice(["s", "r", "none"])
    if "table_row" in kind or "column_count" in kind:
        return {"value": rng.randint(0, 12)} if "to_equal" in kind else _bounds(rng, 0, 12)
    if "ordered_list" in kind:
        return {"column_list": rng.choice([list(SCHEMA), list(SCHEMA)[::-1], ["i"]])}
    if "match_set" in kind:
        exact = {"exact_match": rng.random() < 0.5}
        return {"column_set": rng.choice([list(SCHEMA), ["i", "f"], ["i", "x"]]), **exact}
    if "to_exist" in kind:
        return {"column": rng.choice(["i", "x"])}
    if "pair" in kind:
        a, b = rng.choice([("i", "j"), ("f", "g"), ("i", "f"), ("t", "u"), ("s", "r")])
        ignore = ["both_values_are_missing", "either_value_is_missing", "neither"]
        more = {"or_equal": rng.random() < 0.5} if "greater" in kind else {}
        return {
            "column_A": a,
            "column_B": b,
            "ignore_row_if": rng.choice(ignore),
            **more,
            **_mostly(rng),
        }
    if kind.startswith(("expect_compound", "expect_multicolumn", "expect_select")):
        ignore = ["all_values_are_missing", "any_value_is_missing", "never"]
        lists = [["i", "j"], ["f", "g"]]
        lists += [] if "sum" in kind else [["s", "r"], ["t", "u"]]
        lists += [["i", "s", "t"], ["b", "f"]] if "compound" in kind else []
        more = {"sum_total": rng.randint(-2, 2)} if "sum" in kind else {}
        return {
            "column_list": rng.choice(lists),
            "ignore_row_if": rng.choice(ignore),
            **more,
            **_mostly(rng),
        }
    if "length" in kind:
        ends = (
            {"value": rng.randint(0, 3)}
            if "to_equal" in kind
            else {**_bounds(rng, 0, 4), **_strict(rng)}
        )
        return {"column": text, **ends, **_mostly(rng)}
    if "regex_list" in kind:
        more = {} if "not" in kind else {"match_on": rng.choice(["any", "all"])}
        return {"column": text, "regex_list": rng.sample(PATTERNS, 2), **more, **_mostly(rng)}
    if "regex" in kind:
        return {"column": text, "regex": rng.choice(PATTERNS), **_mostly(rng)}
    if "quantile" in kind:
        quantiles = rng.sample([0, 0.05, 0.25, 0.5, 0.75, 0.9, 1], 3)
        ranges = [[rng.choice([None, -2]), rng.choice([None, 2])] for _ in quantiles]
        return {
            "column": number,
            "quantile_ranges": {"quantiles": quantiles, "value_ranges": ranges},
        }
    if "_type" in kind:
        names = ["int64", "float64", "str", "bool", "datetime64[us, UTC]"]
        column = rng.choice("ifstb")
        return {
            "column": column,
            **(
                {"type_list": rng.sample(names, 2)}
                if "list" in kind
                else {"type_": rng.choice(names)}
            ),
        }
    if "set" in kind:
        column = rng.choice("ijfgsrb" if "most_common" in kind else "ijfgsrtb")
        more = _mostly(rng) if "_values_to_" in kind and "distinct" not in kind else {}
        more |= {"ties_okay": rng.random() < 0.5} if "most_common" in kind else {}
        return {"column": column, "value_set": _set(rng, column), **more}
    if "values_to_be_between" in kind:
        column = rng.choice(["i", "j", "f", "g", "s", "t", "big"])
        return {"column": column, **_ends(rng, column), **_strict(rng), **_mostly(rng)}
    if "null" in kind or "unique" in kind:
        share = {"min_value": rng.random()} if "proportion" in kind else _bounds(rng, 0, 9)
        return {"column": any_column, **(share if "between" in kind else _mostly(rng))}
    column = rng.choice(["i", "f", "s", "t"]) if "max" in kind or "min_" in kind else number
    return {"column": column, **_ends(rng, column)}


def _mostly(rng: random.Random) -> dict[str, Any]:
    return {"mostly": rng.choice([0.0, 0.25, 0.5, 0.9, 1.0])} if rng.random() < 0.6 else {}


def _strict(rng: random.Random) -> dict[str, Any]:
    return {"strict_min": True, "strict_max": rng.random() < 0.5} if rng.random() < 0.4 else {}


def _bounds(rng: random.Random, low: int, high: int) -> dict[str, Any]:
    a, b = sorted((rng.randint(low, high), rng.randint(low, high)))
    return rng.choice([{"min_value": a, "max_value": b}, {"min_value": a}, {"max_value": b}])


def _ends(rng: random.Random, column: str) -> dict[str, Any]:
    if column == "s":
        a, b = sorted(rng.sample([word for word in WORDS if not word.isdigit()], 2))
    elif column == "t":
        a, b = sorted(START + timedelta(hours=rng.randint(0, 40)) for _ in range(2))
    elif column == "big":
        a, b = 2**60, 2**60 + rng.randint(0, 9)
    else:
        a, b = sorted(rng.choice([rng.randint(-3, 3), rng.uniform(-3, 3)]) for _ in range(2))
    return rng.choice([{"min_value": a, "max_value": b}, {"min_value": a}, {"max_value": b}])


def _set(rng: random.Random, column: str) -> list[Any]:
    if column in "sr":
        return rng.sample(WORDS, 4)
    if column in "tu":
        return [START + timedelta(hours=h) for h in rng.sample(range(4), 2)]
    if column == "b":
        return rng.choice([[True], [False], [True, False]])
    return rng.sample([-3, -2, -1, 0, 1, 2, 3, 0.5], 4)

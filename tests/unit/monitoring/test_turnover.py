"""A rename is told from values that come and go, which they did in the reference already."""

from typing import Any

import numpy as np
import polars as pl

from trimtab.monitoring import turnover, wholeness
from trimtab.monitoring.wholeness import ColumnWholeness

LEAGUE, SEASON = 18, 306


def seasons(first: int, last: int, *, seed: int = 0) -> pl.DataFrame:
    """Three of eighteen teams go each season; one of those that come was never there before."""
    rows: list[str] = []
    for season in range(first, last):
        draw = np.random.default_rng([seed, season])
        old = [f"old {i}" for i in range(12)]
        guests = draw.choice([f"guest {i}" for i in range(9)], LEAGUE - 1 - len(old), replace=False)
        teams = [*old, *guests, f"first time {season}"]
        rows += draw.permutation(np.repeat(teams, SEASON // LEAGUE)).tolist()
    return pl.DataFrame({"team": rows, "n": range(len(rows))})


def known(frame: pl.DataFrame) -> ColumnWholeness:
    return wholeness.build(frame, {"team": "categorical"}, time="n", identity=["n"]).columns["team"]


def renamed(usual: ColumnWholeness, last: pl.DataFrame, window: pl.DataFrame) -> bool:
    assert usual.values is not None
    assert usual.turnover is not None
    then, now = (dict[str, Any](f["team"].value_counts().iter_rows()) for f in (last, window))
    return turnover.renamed(usual.values, usual.turnover, now, then)


def test_teams_that_are_relegated_are_not_renamed() -> None:
    usual = known(seasons(0, 16))
    for season in range(16, 22):
        last = seasons(season - 1, season)
        assert not renamed(usual, last, seasons(season, season + 1)), season


def test_new_values_of_a_run_are_all_those_no_earlier_run_has() -> None:
    """Not only those of the block in which each was seen first."""
    usual = known(seasons(0, 16)).turnover
    assert usual is not None
    shares = [new / rows for new, rows in usual.usual(SEASON)]
    assert max(shares) > 0.04, "a team that is new has a season's share of the rows"


def many(rows: int, seed: int) -> pl.DataFrame:
    """Sixty values, of which some hold two percent of the rows."""
    draw = np.random.default_rng(seed)
    chance = np.r_[np.full(30, 0.02), np.full(30, 0.4 / 30)]
    return pl.DataFrame({"team": draw.choice([f"v{i:02}" for i in range(60)], rows, p=chance)})


def test_one_renamed_value_of_many_is_recognised() -> None:
    usual, last = known(many(20_000, 0).with_row_index("n")), many(3_000, 9)
    for seed in range(1, 6):
        window = many(3_000, seed)
        assert not renamed(usual, last, window)
        other = window.with_columns(pl.col("team").replace("v07", "V-7"))
        assert renamed(usual, last, other), seed
        assert renamed(usual, last, window.with_columns(pl.col("team").str.to_uppercase())), seed


def test_a_value_that_only_joins_or_only_goes_is_not_renamed() -> None:
    usual, last = known(many(20_000, 0).with_row_index("n")), many(3_000, 9)
    window = many(3_000, 1)
    assert not renamed(usual, last, window.filter(pl.col("team") != "v07"))
    joined = pl.concat([window, pl.DataFrame({"team": ["new"] * 100})])
    assert not renamed(usual, last, joined)


def test_a_value_that_was_gone_or_there_before_is_not_renamed() -> None:
    """A timetable changes by and by; a file that calls things by other names does so at once."""
    usual, last = known(many(20_000, 0).with_row_index("n")), many(3_000, 9)
    window = many(3_000, 2).with_columns(pl.col("team").replace("v07", "other"))
    assert renamed(usual, last, window)
    assert not renamed(usual, last.filter(pl.col("team") != "v07"), window)
    assert not renamed(usual, pl.concat([last, pl.DataFrame({"team": ["other"] * 5})]), window)


def test_a_timetable_that_changes_in_a_day_is_not_renamed() -> None:
    """As many rows go as come, yet no value takes those of another."""
    usual, last = known(many(20_000, 0).with_row_index("n")), many(3_000, 9)
    summer = ["s1"] * 90 + ["s2"] * 25 + ["s3"] * 15
    window = many(3_000, 1).filter(~pl.col("team").is_in(["v07", "v08"]))
    assert not renamed(usual, last, pl.concat([window, pl.DataFrame({"team": summer})]))


def test_nothing_to_tell_from() -> None:
    usual = known(many(5, 0).with_row_index("n"))
    assert not renamed(usual, many(0, 2), many(100, 1))
    assert not renamed(usual, many(100, 2), many(0, 1))

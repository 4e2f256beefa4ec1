"""The rows of a feature view: unique, complete, and the newest of an entity at a moment."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from trimtab.config.dataset import DatasetSpec
from trimtab.config.view import FeatureView
from trimtab.features.join import ORDER
from trimtab.features.views import KNOWN, TIME, latest, view_rows
from trimtab.types import ROW

START = datetime(2026, 1, 1, tzinfo=UTC)
DATASET = DatasetSpec.model_validate(
    {
        "dataset": "air",
        "owner": "me",
        "source": {"kind": "files", "uri": "landing/air"},
        "key": ["zone", "hour"],
        "time": "hour",
        "columns": {
            "zone": {"type": "category", "nullable": True},
            "hour": {"type": "time"},
            "told": {"type": "time", "nullable": True},
            "rain": {"type": "float", "nullable": True},
        },
    }
)


def view_of(**given: Any) -> FeatureView:
    return FeatureView.model_validate(
        {"view": "sky", "owner": "me", "from": "air", "entity": ["zone"]} | given
    )


def table(*rows: tuple[Any, int, int | None, Any, int]) -> pl.LazyFrame:
    """Rows of zone, hour, hour it was told, rain, file."""
    times = {name: pl.Datetime("us", "UTC") for name in ("hour", "told")}
    at = [
        (
            zone,
            START + timedelta(hours=h),
            None if t is None else START + timedelta(hours=t),
            rain,
            file,
        )
        for zone, h, t, rain, file in rows
    ]
    schema = {"zone": pl.String, **times, "rain": pl.Float64, ORDER: pl.Int64}
    return pl.DataFrame(at, schema=schema, orient="row").with_row_index(ROW).lazy()


def test_columns_and_types() -> None:
    view = view_of(delay="2h", derive={"wet": {"type": "bool", "sql": "rain > 1"}})
    rows = view_rows(view, DATASET, table(("n", 0, 0, 2.0, 0))).collect()
    assert rows.columns == ["zone", TIME, KNOWN, "told", "rain", "wet"]
    assert rows.row(0) == ("n", START, START + timedelta(hours=2), START, 2.0, True)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_of_equal_rows_the_file_published_last_wins_then_the_later_position(
    order: list[int],
) -> None:
    frame = table(("n", 0, 1, 1.0, 1), ("n", 0, 1, 2.0, 0), ("n", 0, 1, 3.0, 1)).collect()
    rows = view_rows(view_of(known="told"), DATASET, frame[order].lazy()).collect()
    assert rows["rain"].to_list() == [3.0]


def test_a_correction_is_a_row_of_its_own() -> None:
    rows = view_rows(
        view_of(known="told"), DATASET, table(("n", 0, 1, 1.0, 0), ("n", 0, 5, 2.0, 0))
    )
    assert rows.collect()["rain"].to_list() == [1.0, 2.0]


def test_rows_without_entity_or_time_are_left_out_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    given = table((None, 0, 1, 1.0, 0), ("n", 0, None, 2.0, 0), ("n", 0, 1, None, 0))
    assert view_rows(view_of(known="told"), DATASET, given).collect()["rain"].to_list() == [None]
    assert "sky: 2 rows without ['zone', 'hour', 'told'] are left out" in caplog.text


def test_the_latest_of_each_entity_had_happened_and_was_known() -> None:
    view = view_of(known="told", max_age="4h")
    rows = view_rows(
        view,
        DATASET,
        table(
            ("n", 0, 0, 1.0, 0), ("n", 2, 3, 2.0, 0), ("n", 1, 5, 3.0, 0),  # an old fact that is late
            ("s", 0, 0, 4.0, 0), ("s", 9, 9, 5.0, 0),
        ),
    )  # fmt: skip

    def at(hour: int) -> list[Any]:
        found = latest(rows, view, START + timedelta(hours=hour)).collect()
        return found.select("zone", "rain").rows()

    assert at(2) == [("n", 1.0), ("s", 4.0)]
    assert at(3) == [("n", 2.0), ("s", 4.0)]
    assert at(5) == [("n", 2.0)]  # the one of s is older than 4 hours
    assert at(9) == [("s", 5.0)]

"""Great Expectations' own engine (pandas), for what is not compiled, and as the oracle in tests."""

import logging
from collections.abc import Mapping
from typing import Any

import polars as pl

from trimtab.adapters import gx

log = logging.getLogger(__name__)


def run(frame: pl.DataFrame, expectations: Mapping[int, Any], *, name: str) -> dict[int, Any]:
    """Run built expectations on ``frame``; one that cannot be run is a failed result, no crash."""
    batch = _batch(frame, name)
    try:
        results = _together(batch, expectations, name)
    except Exception:  # any expectation may be somebody's own code; find out which one it is
        log.warning("%s: the suite could not be run as a whole; one by one now", name)
        results = [_alone(batch, item) for item in expectations.values()]
    return {item.expectation_config.meta[gx.INDEX]: item for item in results}


def positions(frame: pl.DataFrame, expectation: Any, *, name: str) -> list[int]:
    """Return the positions of the rows that break an expectation of every row."""
    outcome = _batch(frame, name).validate(expectation, result_format="COMPLETE")
    return [int(position) for position in (outcome.result or {}).get("unexpected_index_list") or []]


def _batch(frame: pl.DataFrame, name: str) -> Any:
    gxp = gx.load()

    for chatty in ("great_expectations", "great_expectations.data_context.types.base"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    context: Any = gxp.get_context(mode="ephemeral")
    context.enable_analytics(enable=False)
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    batch = asset.add_batch_definition_whole_dataframe(name)
    return batch.get_batch({"dataframe": frame.to_pandas()})


def _together(batch: Any, expectations: Mapping[int, Any], name: str) -> list[Any]:
    gxp = gx.load()

    suite = gxp.ExpectationSuite(name=name, expectations=list(expectations.values()))
    return list(batch.validate(suite, result_format="SUMMARY").results)


def _alone(batch: Any, expectation: Any) -> Any:
    try:
        return batch.validate(expectation, result_format="SUMMARY")
    except Exception as error:
        return gx.crashed(expectation, f"{type(error).__name__}: {error}")

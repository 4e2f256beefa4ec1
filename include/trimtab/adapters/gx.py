"""Great Expectations: run expectations on a frame, offline, and render what came of it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, NotRequired, TypedDict

import polars as pl

from trimtab.types import CheckResult

log = logging.getLogger(__name__)
_SEVERITIES = {"block": "critical", "quarantine": "warning", "warn": "info"}
_INDEX = "trimtab_index"  # GX returns results in an order of its own


class Expectation(TypedDict):
    """One expectation: GX's name and arguments, and what follows when it is not met."""

    type: str
    kwargs: dict[str, Any]
    severity: Literal["block", "quarantine", "warn"]
    notes: NotRequired[str]


@dataclass(frozen=True)
class Checked:
    """Results in the order asked; ``rows`` are the positions a 'quarantine' check did not like."""

    results: tuple[CheckResult, ...]
    rows: dict[int, list[int]] = field(default_factory=dict)
    suite: Any = None  # GX's own result, for its renderers


def check(frame: pl.DataFrame, expectations: Sequence[Expectation], *, name: str) -> Checked:
    """Run ``expectations`` on ``frame``; one that cannot be run is a failed check, not a crash."""
    built = {i: _build(i, expectation) for i, expectation in enumerate(expectations)}
    broken = {i: item for i, item in built.items() if isinstance(item, str)}
    runnable = {i: item for i, item in built.items() if i not in broken}
    batch = _batch(frame, name)
    suite = _run(batch, runnable, name)
    outcomes = {item.expectation_config.meta[_INDEX]: item for item in suite.results}
    results = tuple(
        _result(expectation, outcomes.get(i), broken.get(i, "it was not run"))
        for i, expectation in enumerate(expectations)
    )
    rows = {
        i: _unexpected_rows(batch, runnable[i])
        for i, result in enumerate(results)
        if result.severity == "quarantine" and not result.success and result.unexpected
    }
    return Checked(results, rows, suite)


def problem(expectation: Expectation) -> str | None:
    """Return what is wrong with an expectation's name, arguments or severity, or None."""
    built = _build(0, expectation)
    if isinstance(built, str):
        return built
    from great_expectations.expectations import expectation as gxe

    per_row = (
        gxe.ColumnMapExpectation,
        gxe.ColumnPairMapExpectation,
        gxe.MulticolumnMapExpectation,
    )
    if expectation["severity"] == "quarantine" and not isinstance(built, per_row):
        return f"{expectation['type']} judges the table, so there are no rows to quarantine"
    return None


def names() -> list[str]:
    """Return the names of all expectations GX knows."""
    import great_expectations.expectations  # noqa: F401 (fills the registry)
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    return sorted(list_registered_expectation_implementations())


def render(suite: Any) -> str:
    """Render GX's validation page (Data Docs) of one result as HTML."""
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    view: Any = DefaultJinjaPageView()
    return str(view.render(ValidationResultsPageRenderer().render(suite)))


def _build(index: int, expectation: Expectation) -> Any:
    """Return GX's expectation, or the message of what is wrong with it.

    One by one on purpose: a GX suite built from dicts logs what it cannot build, and drops it.
    """
    import great_expectations.expectations  # noqa: F401 (fills the registry)
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metadata_types import FailureSeverity

    try:
        return ExpectationConfiguration(
            type=expectation["type"],
            kwargs=dict(expectation["kwargs"]),
            meta={_INDEX: index},
            severity=FailureSeverity(_SEVERITIES[expectation["severity"]]),
            notes=expectation.get("notes"),
        ).to_domain_obj()
    except (GreatExpectationsError, ValueError, TypeError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        # pydantic's first line only counts the errors
        return "; ".join(line.strip() for line in lines[1:] or lines)


def _batch(frame: pl.DataFrame, name: str) -> Any:
    import great_expectations as gx

    for chatty in ("great_expectations", "great_expectations.data_context.types.base"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    context: Any = gx.get_context(mode="ephemeral")
    context.enable_analytics(enable=False)
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    batch = asset.add_batch_definition_whole_dataframe(name)
    return batch.get_batch({"dataframe": frame.to_pandas()})


def _run(batch: Any, expectations: dict[int, Any], name: str) -> Any:
    import great_expectations as gx

    suite = gx.ExpectationSuite(name=name, expectations=list(expectations.values()))
    try:
        return batch.validate(suite, result_format="SUMMARY")
    except Exception:  # any expectation may be somebody's own code; find out which one it is
        log.warning("%s: the suite could not be run as a whole; one by one now", name)
    return _one_by_one(batch, expectations, name)


def _one_by_one(batch: Any, expectations: dict[int, Any], name: str) -> Any:
    from great_expectations.core import (
        ExpectationSuiteValidationResult,
        ExpectationValidationResult,
    )

    results = []
    for expectation in expectations.values():
        try:
            results.append(batch.validate(expectation, result_format="SUMMARY"))
        except Exception as error:
            results.append(
                ExpectationValidationResult(
                    success=False,
                    expectation_config=expectation.configuration,
                    result={},
                    exception_info={
                        "raised_exception": True,
                        "exception_message": f"{type(error).__name__}: {error}",
                        "exception_traceback": "",
                    },
                )
            )
    good = sum(bool(item.success) for item in results)
    statistics = {
        "evaluated_expectations": len(results),
        "successful_expectations": good,
        "unsuccessful_expectations": len(results) - good,
        "success_percent": 100 * good / len(results) if results else None,
    }
    return ExpectationSuiteValidationResult(
        success=good == len(results), results=results, suite_name=name, statistics=statistics
    )


def _result(expectation: Expectation, outcome: Any, message: str) -> CheckResult:
    found = dict(outcome.result or {}) if outcome is not None else {}
    error = _exception(outcome.exception_info) if outcome is not None else message
    limit = {k: v for k, v in expectation["kwargs"].items() if k != "column"}
    return CheckResult(
        expectation=expectation["type"],
        column=expectation["kwargs"].get("column"),
        severity=expectation["severity"],
        success=error is None and bool(outcome.success),
        observed=_plain(error or found.get("observed_value", _examples(found))),
        limit=_plain(limit),
        unexpected=int(found.get("unexpected_count") or 0),
    )


def _examples(found: dict[str, Any]) -> list[Any] | None:
    unexpected = [item for item in found.get("partial_unexpected_list") or [] if item is not None]
    return list({str(item): item for item in unexpected}.values())[:5] or None


def _exception(info: dict[str, Any] | None) -> str | None:
    """Return the message GX caught; it nests the record under a metric's id for some errors."""
    records = [info or {}, *(item for item in (info or {}).values() if isinstance(item, dict))]
    raised = [item for item in records if item.get("raised_exception")]
    return str(raised[0].get("exception_message") or "raised an exception") if raised else None


def _unexpected_rows(batch: Any, expectation: Any) -> list[int]:
    found = batch.validate(expectation, result_format="COMPLETE").result or {}
    return [int(position) for position in found.get("unexpected_index_list") or []]


def _plain(value: Any) -> Any:
    """Turn what GX observed (numpy scalars, timestamps) into plain JSON; long lists are cut."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in list(value)[:20]]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if hasattr(value, "item"):
        return value.item()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)

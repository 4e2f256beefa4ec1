"""Great Expectations' words: its expectations by name, and results from numbers we counted."""

import logging
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import ModuleType
from typing import Any, Literal, NotRequired, TypedDict, cast

from trimtab.types import CheckResult

log = logging.getLogger(__name__)
_SEVERITIES = {"block": "critical", "quarantine": "warning", "warn": "info"}
INDEX = "trimtab_index"  # GX returns results in an order of its own
_FORMAT = {
    "result_format": "SUMMARY",
    "partial_unexpected_count": 20,
    "include_unexpected_rows": False,
}


class Expectation(TypedDict):
    """One expectation: GX's name and arguments, and what follows when it is not met.

    ``exact: False`` lets the number of different values be estimated.
    """

    type: str
    kwargs: dict[str, Any]
    severity: Literal["block", "quarantine", "warn"]
    exact: NotRequired[bool]


def load() -> Any:
    """Import Great Expectations without PySpark, which we never ask it to use.

    It imports PySpark where it is installed, and PySpark 4 then ends a process whose main module
    has no file (``python -c``, the server that Airflow's tasks are forked from): it takes it for
    its own doctests, and calls ``sys.exit(0)``.
    """
    if "great_expectations.expectations" in sys.modules:
        return sys.modules["great_expectations"]
    spark = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_spark(name)}
    sys.modules["pyspark"] = cast("ModuleType", None)  # how Python says: there is no such module
    try:
        import great_expectations.expectations  # it fills the registry
    finally:
        del sys.modules["pyspark"]
        sys.modules.update(spark)
    return great_expectations


def _is_spark(name: str) -> bool:
    return name == "pyspark" or name.startswith("pyspark.")


def build(index: int, expectation: Expectation) -> Any:
    """Return GX's expectation, or the message of what is wrong with it.

    One by one on purpose: a GX suite built from dicts logs what it cannot build, and drops it.
    """
    load()
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metadata_types import FailureSeverity

    meta: dict[str, Any] = {INDEX: index}
    if not expectation.get("exact", True):
        meta["exact"] = False
    try:
        return ExpectationConfiguration(
            type=expectation["type"],
            kwargs=dict(expectation["kwargs"]),
            meta=meta,
            severity=FailureSeverity(_SEVERITIES[expectation["severity"]]),
        ).to_domain_obj()
    except (GreatExpectationsError, ValueError, TypeError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        # pydantic's first line only counts the errors
        return "; ".join(line.strip() for line in lines[1:] or lines)


def problem(expectation: Expectation) -> str | None:
    """Return what is wrong with an expectation's name, arguments or severity, or None."""
    built = build(0, expectation)
    if isinstance(built, str):
        return built
    if expectation["severity"] == "quarantine" and not per_row(built):
        return f"{expectation['type']} judges the table, so there are no rows to quarantine"
    return None


def per_row(built: Any) -> bool:
    """Whether an expectation speaks of rows, so that it can say which ones break it."""
    from great_expectations.expectations import expectation as gxe

    kinds = gxe.ColumnMapExpectation, gxe.ColumnPairMapExpectation, gxe.MulticolumnMapExpectation
    return isinstance(built, kinds)


def define(name: str, arguments: Mapping[str, tuple[Any, Any]], *, rows: bool, words: str) -> None:
    """Make an expectation of a user's function known to GX, so that its suites and pages show it.

    ``arguments`` maps a name to its type and default (``...`` when there is none).
    """
    load()
    from great_expectations.expectations import expectation as gxe
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    if name in list_registered_expectation_implementations():
        return
    attributes: dict[str, Any] = {
        "__annotations__": {key: kind for key, (kind, _) in arguments.items()},
        "__module__": __name__,
        "__doc__": words,
        **{key: default for key, (_, default) in arguments.items() if default is not ...},
    }
    if rows:
        attributes["map_metric"] = f"trimtab.{name}"
    else:
        attributes["_validate"] = lambda _self, metrics, **_: metrics["trimtab.value"]
    base: Any = gxe.ColumnMapExpectation if rows else gxe.BatchExpectation
    type(base)("".join(part.title() for part in name.split("_")), (base,), attributes)


def names() -> list[str]:
    """Return the names of all expectations GX knows."""
    load()
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    return sorted(list_registered_expectation_implementations())


def judged(built: Any, metrics: Mapping[str, Any]) -> Any:
    """Let GX judge its own metrics, counted by somebody else; return its result object."""
    try:
        raw = built._validate(
            metrics=dict(metrics), runtime_configuration={"result_format": _FORMAT}
        )
        return built._build_evr(raw)
    except Exception as error:  # bounds of another type than the value, and the like
        return crashed(built, f"{type(error).__name__}: {error}")


def row_metrics(
    built: Any, *, rows: int, missing: int, bad: int, examples: list[Any]
) -> dict[str, Any]:
    """Put the counts of an expectation of every row under GX's names."""
    metric = built.map_metric
    return {
        "table.row_count": rows,
        "column_values.nonnull.unexpected_count": missing,
        f"{metric}.filtered_row_count": rows - missing,
        f"{metric}.unexpected_count": bad,
        f"{metric}.unexpected_values": examples,
    }


def told(built: Any, *, success: bool, observed: Any) -> Any:
    """Return a GX result with an observed value."""
    return built._build_evr({"success": success, "result": {"observed_value": observed}})


def crashed(built: Any, message: str) -> Any:
    """Return GX's result of an expectation that raised."""
    from great_expectations.core import ExpectationValidationResult

    return ExpectationValidationResult(
        success=False,
        expectation_config=built.configuration,
        result={},
        exception_info={
            "raised_exception": True,
            "exception_message": message,
            "exception_traceback": "",
        },
    )


def suite(results: Sequence[Any], name: str, rows: int) -> Any:
    """Put results together the way GX does after it ran a suite."""
    from great_expectations.core import ExpectationSuiteValidationResult

    good = sum(bool(item.success) for item in results)
    statistics = {
        "evaluated_expectations": len(results),
        "successful_expectations": good,
        "unsuccessful_expectations": len(results) - good,
        "success_percent": 100 * good / len(results) if results else None,
    }
    return ExpectationSuiteValidationResult(
        success=good == len(results),
        results=list(results),
        suite_name=name,
        statistics=statistics,
        meta={"active_batch_definition": {"data_asset_name": name}, "rows": rows},
    )


def render(suite: Any) -> str:
    """Render GX's validation page (Data Docs) of one result as HTML."""
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    view: Any = DefaultJinjaPageView()
    return str(view.render(ValidationResultsPageRenderer().render(suite)))


def to_json(suite: Any) -> dict[str, Any]:
    """Return GX's JSON of one result; plain values only."""
    told: dict[str, Any] = plain(suite.to_json_dict(), limit=None)
    return told


def result(expectation: Expectation, outcome: Any, message: str = "it was not run") -> CheckResult:
    """Say in our words what GX's result says; without one, why there is none."""
    found = dict(outcome.result or {}) if outcome is not None else {}
    error = _exception(outcome.exception_info) if outcome is not None else message
    limit = {k: v for k, v in expectation["kwargs"].items() if k != "column"}
    if not expectation.get("exact", True):
        limit["exact"] = False
    return CheckResult(
        expectation=expectation["type"],
        column=expectation["kwargs"].get("column"),
        severity=expectation["severity"],
        success=error is None and bool(outcome.success),
        observed=plain(error or _observed(found)),
        limit=plain(limit),
        unexpected=int(found.get("unexpected_count") or 0),
        sampled_rows=found.get("sampled_rows"),
    )


def plain(value: Any, limit: int | None = 20) -> Any:
    """Turn what GX observed (numpy scalars, timestamps) into plain JSON; long lists are cut."""
    if isinstance(value, dict):
        return {str(key): plain(item, limit) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item, limit) for item in list(value)[:limit]]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if hasattr(value, "item"):
        return value.item()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _observed(found: dict[str, Any]) -> Any:
    value = found.get("observed_value")
    return value if value is not None else _examples(found)


def _examples(found: dict[str, Any]) -> list[Any] | None:
    listed = found.get("partial_unexpected_list") or found.get("partial_missing_list") or []
    unexpected = [item for item in listed if item is not None]
    return list({str(item): item for item in unexpected}.values())[:5] or None


def _exception(info: dict[str, Any] | None) -> str | None:
    """Return the message GX caught; it nests the record under a metric's id for some errors."""
    records = [info or {}, *(item for item in (info or {}).values() if isinstance(item, dict))]
    raised = [item for item in records if item.get("raised_exception")]
    return str(raised[0].get("exception_message") or "raised an exception") if raised else None

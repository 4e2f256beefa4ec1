"""Which expectations have a plan, by Great Expectations' names."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from trimtab.validation import rows, values
from trimtab.validation.plan import NotCompiledError, Plan, Table

_PLANS: dict[str, Callable[..., Plan]] = {
    "expect_column_distinct_values_to_be_in_set": values.values_in_set,
    "expect_column_distinct_values_to_contain_set": values.values_contain_set,
    "expect_column_distinct_values_to_equal_set": values.values_equal_set,
    "expect_column_max_to_be_between": values.maximum,
    "expect_column_mean_to_be_between": values.mean,
    "expect_column_median_to_be_between": values.median,
    "expect_column_min_to_be_between": values.minimum,
    "expect_column_most_common_value_to_be_in_set": values.commonest,
    "expect_column_pair_values_a_to_be_greater_than_b": rows.greater,
    "expect_column_pair_values_to_be_equal": rows.equal,
    "expect_column_proportion_of_non_null_values_to_be_between": values.not_null_share,
    "expect_column_proportion_of_unique_values_to_be_between": values.unique_share,
    "expect_column_quantile_values_to_be_between": values.quantiles,
    "expect_column_stdev_to_be_between": values.deviation,
    "expect_column_sum_to_be_between": values.added,
    "expect_column_to_exist": values.columns,
    "expect_column_unique_value_count_to_be_between": values.unique_count,
    "expect_column_value_lengths_to_be_between": rows.lengths,
    "expect_column_value_lengths_to_equal": rows.length,
    "expect_column_values_to_be_between": rows.between,
    "expect_column_values_to_be_in_set": rows.in_set,
    "expect_column_values_to_be_in_type_list": values.in_type_list,
    "expect_column_values_to_be_null": rows.be_null,
    "expect_column_values_to_be_of_type": values.of_type,
    "expect_column_values_to_be_unique": rows.unique,
    "expect_column_values_to_match_regex": rows.match_regex,
    "expect_column_values_to_match_regex_list": rows.match_regex_list,
    "expect_column_values_to_not_be_in_set": rows.not_in_set,
    "expect_column_values_to_not_be_null": rows.not_null,
    "expect_column_values_to_not_match_regex": rows.not_match_regex,
    "expect_column_values_to_not_match_regex_list": rows.not_match_regex_list,
    "expect_compound_columns_to_be_unique": rows.compound_unique,
    "expect_multicolumn_sum_to_equal": rows.sum_equals,
    "expect_select_column_values_to_be_unique_within_record": rows.different_within_row,
    "expect_table_column_count_to_be_between": values.columns,
    "expect_table_column_count_to_equal": values.columns,
    "expect_table_columns_to_match_ordered_list": values.columns,
    "expect_table_columns_to_match_set": values.columns,
    "expect_table_row_count_to_be_between": values.row_count,
    "expect_table_row_count_to_equal": values.row_count,
}
# Great Expectations applies these itself to what the plan counts; any other argument, such as a
# row condition, sends the expectation to its own engine.
_JUDGED = {"mostly"}
_BOUNDS = {"min_value", "max_value", "strict_min", "strict_max", "value"}
_NAMES = {"column_list", "column_set", "exact_match", "column", "column_index"}


def names() -> list[str]:
    """Return the expectations that are computed in the one pass."""
    return sorted(_PLANS)


def plan(kind: str, kwargs: Mapping[str, Any], table: Table) -> Plan:
    """Return the plan of an expectation.

    Raises:
        NotCompiledError: it has none with these arguments on these columns.
    """
    if kind not in _PLANS:
        raise NotCompiledError(f"{kind} is not compiled")
    build = _PLANS[kind]
    arguments = {k: v for k, v in kwargs.items() if k not in _JUDGED and v is not None}
    signature = inspect.signature(build)
    try:
        bound = signature.bind(table, **arguments)
    except TypeError as error:
        raise NotCompiledError(str(error)) from error
    if strange := set(_rest(signature, bound)) - _BOUNDS - _NAMES:
        raise NotCompiledError(f"{kind} with {sorted(strange)} is not compiled")
    return build(*bound.args, **bound.kwargs)


def _rest(signature: inspect.Signature, bound: inspect.BoundArguments) -> list[str]:
    caught = [p.name for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD]
    return [name for rest in caught for name in bound.arguments.get(rest, {})]

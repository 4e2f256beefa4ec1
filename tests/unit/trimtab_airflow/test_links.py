"""Links lead to what a stage wrote."""

from types import SimpleNamespace
from typing import Any

from trimtab_airflow.links import ReportLink, ResultLink
from trimtab_airflow.operators.validate import ValidateOperator


def test_validation_leads_to_the_page_and_to_the_json_beside_it() -> None:
    operator: Any = SimpleNamespace(report="datasets/shop/abc/index.html")
    page = ReportLink().get_link(operator, ti_key=None)
    told = ResultLink().get_link(operator, ti_key=None)
    assert page.endswith("/datasets/shop/abc/index.html")
    assert told.endswith("/datasets/shop/abc/validation.json")
    assert [link.name for link in ValidateOperator.operator_extra_links][:2] == [
        "Report",
        "Great Expectations JSON",
    ]


def test_nothing_validated_leads_nowhere() -> None:
    assert ResultLink().get_link(SimpleNamespace(report=None), ti_key=None) == ""  # type: ignore[arg-type]

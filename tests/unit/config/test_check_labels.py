"""The dataset the labels arrive in is checked against the one that is scored."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from trimtab.config.catalog import Catalog
from trimtab.config.check_labels import check_labels
from trimtab.config.dataset import DatasetSpec
from trimtab.config.model import ModelSpec

VISITS = """
dataset: visits
owner: me
source: {uri: landing/visits}
key: [visit]
columns: {visit: {type: int}, shop: {type: text}, bought: {type: bool}}
"""
MODEL = """
model: buyer
purpose: Say which visits will end in a purchase.
owner: me
data: {from: visits}
target: {column: bought}
monitor: {labels: {dataset: orders}}
"""


@pytest.fixture
def problems() -> Callable[..., list[str]]:
    def of(columns: dict[str, str], **labels: Any) -> list[str]:
        read = yaml.safe_load(MODEL)
        read["monitor"]["labels"] |= labels
        visits = DatasetSpec.model_validate(yaml.safe_load(VISITS))
        named = {name: {"type": kind} for name, kind in columns.items()}
        key = [next(iter(columns))]
        orders = DatasetSpec.model_validate(
            {"dataset": "orders", "owner": "me", "source": {"uri": "landing/orders"},
             "key": key, "columns": named}
        )  # fmt: skip
        catalog = Catalog(datasets={"visits": visits, "orders": orders}, views={})
        model = ModelSpec.model_validate(read)
        return [
            f"{'.'.join(map(str, path))}: {what}" for path, what, _ in check_labels(model, catalog)
        ]

    return of


def test_what_fits(problems: Callable[..., list[str]]) -> None:
    assert problems({"visit": "int", "bought": "bool"}) == []
    assert problems({"prediction_id": "text", "bought": "bool"}) == []
    assert problems({"shop": "text", "bought": "bool"}, key=["shop"]) == []


def test_what_does_not(problems: Callable[..., list[str]]) -> None:
    assert problems({"visit": "int"}) == ["monitor.labels.dataset: orders has no column 'bought'"]
    assert problems({"number": "int", "bought": "bool"}) == [
        "monitor.labels.key: orders has no column 'visit'"
    ]
    assert problems({"visit": "text", "bought": "bool"}) == [
        "monitor.labels.key: visit is int in visits and text in orders"
    ]
    assert problems({"visit": "int", "bought": "bool"}, dataset="sales") == [
        "monitor.labels.dataset: there is no usable dataset 'sales'"
    ]

"""The pages: what is listed, what is served, and what is not."""

from pathlib import Path

import pytest

from trimtab_airflow.ui.index import listing, missing
from trimtab_airflow.ui.reports import resolve


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    for name, text in {
        "models/late/v1/gate.html": "<title>HOLD: late version 1</title>",
        "models/late/monitor/2013-01/evidently.html": "<html>",
        "datasets/sales/<b>/index.html": "<title>sales: a.csv</title>",
        "models/late/v1/model.pkl": "x",
    }.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "secrets.json").write_text("{}")
    return folder


def test_pages_are_listed_by_subject_and_title(root: Path) -> None:
    page = listing(root, "/r")
    assert page.index("datasets/sales") < page.index("models/late")
    assert '<a href="/r/models/late/v1/gate.html">HOLD: late version 1</a>' in page
    assert ">monitor/2013-01/evidently.html</a>" in page
    assert "<b>" not in page
    assert "model.pkl" not in page


def test_nothing_to_list(tmp_path: Path) -> None:
    assert "No stage has written a page yet" in listing(tmp_path / "none", "/r")


def test_a_page_that_is_not_there_leads_to_those_that_are() -> None:
    page = missing("models/<b>/gate.html", "/r")
    assert "models/&lt;b&gt;/gate.html" in page
    assert '<a href="/r/">' in page


def test_a_page_is_found(root: Path) -> None:
    assert resolve(root, "models/late/v1/gate.html") == root / "models/late/v1/gate.html"


@pytest.mark.parametrize(
    "path",
    [
        "../secrets.json",
        "models/../../secrets.json",
        "/etc/hostname.html",
        "models/late/v1/model.pkl",
        "models/late/v1/none.html",
        "models/late",
        "a\0.html",
    ],
)
def test_nothing_else_is_served(root: Path, path: str) -> None:
    assert resolve(root, path) is None


def test_a_link_that_leads_outside_is_not_followed(root: Path) -> None:
    (root / "out.json").symlink_to(root.parent / "secrets.json")
    assert resolve(root, "out.json") is None

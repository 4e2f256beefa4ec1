from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.unit.monitoring.stories import BAD, STATES, columns, concept, fault, hostile, quiet

from trimtab.monitoring import charts, profile, report


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [v or "" for k, v in attrs if k in ("src", "href")]


def test_values_of_the_data_are_escaped() -> None:
    text = report.render(hostile())
    assert BAD not in text
    assert "&lt;script&gt;" in text
    assert "script" not in Tags(text).seen


def test_the_page_stands_alone() -> None:
    page = Tags(report.render(replace(quiet(), evidently_file="evidently.html")))
    assert page.links == ["../../v1/gate.html", "evidently.html", "observation.json"]
    assert "svg" in page.seen


@pytest.mark.parametrize(
    ("state", "verdict", "badge"),
    [
        ("quiet", "Nothing has changed that matters", "QUIET"),
        ("few", "There is not enough data to say anything", "NO VERDICT"),
        ("fault", "The data are wrong at their source", "QUARANTINE"),
        ("concept", "The same inputs now mean something else", "RETRAIN"),
        ("unlabelled", "The labels are late", "WAIT"),
    ],
)
def test_the_verdict_comes_first(state: str, verdict: str, badge: str) -> None:
    text = report.render(STATES[state]())
    assert text.index(verdict) < text.index("What changed, how sure, since when")
    assert f'<div class="badge">{badge}</div>' in text


def test_a_page_before_triage_says_what_alarms() -> None:
    text = report.render(replace(concept(), triage=None))
    assert "<h1>Alarm: concept, performance</h1>" in text
    assert "Nothing has changed that matters" in report.render(replace(quiet(), triage=None))


def test_what_changed_is_told_in_the_order_a_person_wants() -> None:
    told = [change.finding.signal for change in report.changes(concept().observation)]
    assert told == ["concept", "performance"]
    text = report.render(fault())
    assert "2.0% → 61.0% without a value" in text
    assert "under 1 in 10⁹" in text
    assert text.count('<td class="text">2026-09</td>') == 2
    assert "trimtab quarantine dismiss trips 3f2a" in text
    assert "Incident 1a2b3c4d5e6f: trips: km is missing; shared by delay, fares" in text


def test_pictures_show_what_moved_first_and_all_that_is_watched() -> None:
    shown = report.pictures(fault().compared)
    assert shown[0].finding.column == "km"
    assert len(shown) == 3
    assert len(report.pictures([*fault().compared] * 9)) == report.SHOWN


def test_a_page_without_anything_to_draw() -> None:
    empty = quiet()
    seen = empty.observation.model_copy(update={"findings": (), "rows": 0, "labelled": 0})
    text = report.render(report.Story(observation=seen, purpose="", compared=[], history=[seen]))
    assert "There is not enough data to say anything" in text
    assert "no page: it was not asked for" in text


def test_bars_are_shares_of_all_rows() -> None:
    picture = charts.histogram(columns()[0])
    assert picture is not None
    assert len(picture.reference) == len(picture.current) == profile.BINS
    assert "10.0% before" in picture.reference[0].title


def test_dots_share_an_axis_with_their_limits() -> None:
    found = hostile().observation.findings
    share = next(f for f in found if f.signal == "attribution")
    [dot] = charts.dots([share, share.model_copy(update={"value": None})])
    assert 0 < (dot.then or 0) < dot.now < (dot.limit or 0) < 100
    assert charts.dots([]) == []


def test_written_aside(tmp_path: Path) -> None:
    report.write("one", tmp_path / "a" / "index.html")
    report.write("two", tmp_path / "a" / "index.html")
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["index.html"]
    assert (tmp_path / "a" / "index.html").read_text() == "two"

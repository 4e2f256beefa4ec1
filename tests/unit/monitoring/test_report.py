from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl

from trimtab.config.monitor import Monitor
from trimtab.monitoring import charts, detect, profile, report
from trimtab.watch import Observation

BAD = "<script>alert('x')</script>"


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [v or "" for k, v in attrs if k in ("src", "href")]


def story(**more: object) -> report.Story:
    draw = np.random.default_rng(0)
    before = pl.DataFrame(
        {"x": draw.normal(size=2000), "c": ["a", BAD] * 1000, BAD: draw.normal(size=2000)}
    )
    now = before.with_columns(pl.col("x") + 1, c=pl.lit(f"{BAD}2"))
    bins = profile.build(before, {"x": "numeric", "c": "categorical", BAD: "numeric"})
    data = detect.compare(bins, profile.measure(now, bins), Monitor())
    seen = Observation(
        model="m",
        version=1,
        sha256="a" * 64,
        partition=BAD,
        rows=2000,
        findings=tuple(c.finding for c in data),
        alarm=("drift",),
        summary=detect.summary(data, None, None),
    )
    told = {"purpose": BAD, "prediction": None, "performance": None, "history": [seen], **more}
    return report.Story(observation=seen, data=data, **told)  # type: ignore[arg-type]


def test_values_of_the_data_are_escaped() -> None:
    text = report.render(story(left_out={BAD: BAD}, evidently=BAD))
    assert BAD not in text
    assert "&lt;script&gt;" in text
    assert "script" not in Tags(text).seen


def test_the_page_stands_alone() -> None:
    page = Tags(report.render(story(evidently_file="evidently.html")))
    assert page.links == ["evidently.html", "observation.json"], "nothing from elsewhere"
    assert "svg" in page.seen


def test_the_verdict_comes_first() -> None:
    text = report.render(story())
    assert text.index("Alarm: the data have moved") < text.index("What moved most")
    assert "2 of 3 features moved, most of all c" in text


def test_a_page_without_anything_to_draw() -> None:
    empty = story()
    seen = empty.observation.model_copy(update={"alarm": (), "findings": (), "rows": 0})
    text = report.render(
        report.Story(
            observation=seen,
            purpose="",
            data=[],
            prediction=None,
            performance=None,
            history=[seen],
        )
    )
    assert "Nothing could be judged" in text
    assert "There is no Evidently page" in text


def test_versions_are_marked_where_they_change() -> None:
    seen = [
        Observation(
            model="m",
            version=version,
            sha256="a" * 64,
            partition=f"p{i}",
            rows=1,
            performance=value,
        )
        for i, (version, value) in enumerate([(1, 0.7), (1, None), (1, 0.69), (2, 0.72), (2, 0.71)])
    ]
    line = charts.performance(seen)
    assert line is not None
    assert [point.title.split(",")[0] for point in line.points] == ["p0", "p2", "p3", "p4"]
    assert [label.text for label in line.versions] == ["v1", "v2"]
    assert line.points[2].y < line.points[3].y, "higher is better, so higher is drawn higher"
    assert charts.performance(seen[:2]) is None


def test_bars_are_shares_of_all_rows() -> None:
    first = story().data[0]
    picture = charts.histogram(first)
    assert picture is not None
    assert len(picture.reference) == len(picture.current) == profile.BINS
    assert "10.0% before" in picture.reference[0].title


def test_written_aside(tmp_path: Path) -> None:
    report.write("one", tmp_path / "a" / "index.html")
    report.write("two", tmp_path / "a" / "index.html")
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["index.html"]
    assert (tmp_path / "a" / "index.html").read_text() == "two"

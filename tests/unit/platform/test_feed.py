from pathlib import Path

import pytest

from trimtab.errors import TrimtabError
from trimtab.platform.demo import feed

HEADER = "carrier,time_hour\n"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    rows = ["UA,2013-01-01T10:00:00Z\n", "NA,2013-02-01T00:00:00Z\n", "B6,2014-01-01T04:00:00Z\n"]
    for table in (*feed.BY_MONTH, *feed.WHOLE):
        (folder / f"{table}.csv").write_text(HEADER + "".join(rows))
    monkeypatch.setattr(feed, "source_folder", lambda: folder)
    return folder


def test_months_are_utc_and_the_last_evening_comes_with_december(
    source: Path, tmp_path: Path
) -> None:
    counts = feed.prepare(tmp_path)
    assert counts["flights-2013-01.csv"] == counts["flights-2013-12.csv"] == 1
    assert sum(n for name, n in counts.items() if name.startswith("flights")) == 3
    assert counts["planes.csv"] == 3
    assert feed.months(tmp_path) == ["2013-01", "2013-02", "2013-12"]
    text = (tmp_path / "flights/flights-2013-02.csv").read_text()
    assert text == HEADER + "NA,2013-02-01T00:00:00Z\n"
    assert feed.files_of(tmp_path, "2013-02").keys() == {"flights", "weather"}


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("x\n1\n")
    landed = feed.deliver(file, tmp_path / "landing")
    assert landed.read_text() == "x\n1\n"
    assert [f.name for f in (tmp_path / "landing").iterdir()] == ["a.csv"]


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "PACKAGE", "nycflights14")
    with pytest.raises(TrimtabError, match="uv sync --extra demo"):
        feed.source_folder()


def test_the_real_year_loses_no_row(tmp_path: Path) -> None:
    counts = feed.prepare(tmp_path)
    flights = {name: n for name, n in counts.items() if name.startswith("flights")}
    assert len(flights) == 12
    assert sum(flights.values()) == 336_776
    assert counts["planes.csv"] == 3_322
    with (feed.source_folder() / "weather.csv").open(newline="") as lines:
        header = next(lines)
    assert (tmp_path / "weather/weather-2013-05.csv").read_text().startswith(header)

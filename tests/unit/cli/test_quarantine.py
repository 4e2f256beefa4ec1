"""``trimtab ingest`` and ``trimtab quarantine``: files by hand, and the way back for bad rows."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result

from trimtab.environment import Environment, open_environment
from trimtab.errors import DataError
from trimtab.stages import release as stage
from trimtab.stages.release import release

Call = Callable[..., Result]
Document = Callable[..., dict[str, Any]]


@pytest.fixture
def january(project: Path) -> Path:
    """Hundred good rows; -5 in row 8, a word in row 9, and a row with a cell too many."""
    lines = [f"{number},{number}.5,{'true' if number % 3 else 'false'}" for number in range(100)]
    lines[7] = "7,-5,true"
    lines[8] = "8,=1+1,true"
    lines[20] = "20,1.0,true,extra"
    file = project / "january.csv"
    file.write_text("\n".join(["id,amount,late", *lines]) + "\n")
    return file


@pytest.fixture
def env(project: Path) -> Environment:
    return open_environment(home=project / "home", config=project / "config")


def fix(out: Path, corrections: dict[str, dict[str, str]]) -> list[dict[str, str]]:
    """Correct cells of the CSV by the row's position."""
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row.update(corrections.get(row["_row"], {}))
    save(out, rows)
    return rows


def save(out: Path, rows: list[dict[str, str]]) -> None:
    with out.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def table(env: Environment) -> pl.DataFrame:
    return pl.read_delta(env.table("sales")).sort("id")


GOOD = {
    "8": {"amount": "5"},
    "9": {"amount": "8.5"},
    "21": {"id": "20", "amount": "1.0", "late": "true"},
}


def test_ingest_tells_one_object_per_file(document: Document, call: Call, january: Path) -> None:
    broken = january.with_name("broken.csv")
    broken.write_text("nothing,here\n1,2\n")
    told = document("ingest", "sales", january, broken, january.with_name("missing.csv"))
    first, second, third = told["files"]
    assert first["name"] == "january.csv"
    assert (first["verdict"], first["reason"]) == ("accepted", "ok")
    assert (first["rows_read"], first["accepted"]) == (100, 97)
    assert sum(first["quarantined"].values()) == 3
    assert first["version"] == 0
    assert Path(first["docs"]).is_file()
    assert (second["verdict"], second["version"]) == ("rejected", None)
    assert (third["verdict"], third["version"]) == ("rejected", None)
    assert told["error"]["message"].startswith("2 of 3 file(s) not published")
    assert call("ingest", "sales", broken).exit_code == 1


def test_the_same_bytes_again_are_no_news(document: Document, call: Call, january: Path) -> None:
    first = document("ingest", "sales", january)["files"][0]
    assert document("ingest", "sales", january)["files"][0] == first  # a retry gets its answer
    copy = january.with_name("copy.csv")
    copy.write_bytes(january.read_bytes())
    again = document("ingest", "sales", copy)["files"][0]
    assert (again["verdict"], again["reason"]) == ("duplicate", "duplicate_noop")
    assert again["version"] == 0
    assert call("ingest", "sales", copy).exit_code == 0


def test_ingest_knows_its_datasets(document: Document, january: Path) -> None:
    assert "there is no dataset 'sails'" in document("ingest", "sails", january)["error"]["message"]


def test_list_and_show_tell_what_waits(document: Document, call: Call, january: Path) -> None:
    document("ingest", "sales", january)
    listed = document("quarantine", "list", "sales")
    assert listed["files"] == []
    assert {(row["reason"], row["column"], row["rows"]) for row in listed["rows"]} == {
        ("out_of_range", "amount", 1),
        ("bad_type", "amount", 1),
        ("ragged_row", None, 1),
    }
    assert all(row["at"] for row in listed["rows"])
    shown = document("quarantine", "show", "sales", "--reason", "out_of_range")["shown"]
    assert shown[0]["row"] == 8
    assert shown[0]["text"] == {"id": "7", "amount": "-5", "late": "true"}
    ragged = document("quarantine", "show", "sales", "--reason", "ragged_row")["shown"]
    assert ragged[0]["text"] == "20,1.0,true,extra"
    assert document("quarantine", "show", "sales", "--file", "other.csv")["rows"] == 0
    assert "january.csv row 8: out_of_range in amount" in call("quarantine", "show", "sales").output


def test_an_empty_quarantine_says_so(call: Call) -> None:
    assert "nothing waits" in call("quarantine", "list", "sales").output
    assert "No such rows" in call("quarantine", "show", "sales").output


def test_refused_files_are_listed_until_a_good_one_comes(document: Document, january: Path) -> None:
    whole = january.read_text()
    january.write_text("id,amount\n1,2\n")
    document("ingest", "sales", january)
    (file,) = document("quarantine", "list", "sales")["files"]
    assert (file["file"], file["reason"]) == ("january.csv", "missing_column")
    assert Path(file["kept"]).read_text() == "id,amount\n1,2\n"
    january.write_text(whole)
    document("ingest", "sales", january)
    assert document("quarantine", "list", "sales")["files"] == []
    assert document("quarantine", "list", "sales", "--all")["files"][0]["status"] == "restated"


def test_a_published_file_is_left_out_until_a_person_says_it_is_right(
    document: Document, call: Call, january: Path, env: Environment
) -> None:
    sha256 = document("ingest", "sales", january)["files"][0]["sha256"]
    advise = ("quarantine", "advise", "sales", "january.csv", "--reason", "meter", "--by", "ann")
    told = document(*advise)
    assert told == {"dataset": "sales", "sha256": sha256, "reason": "meter", "by": "ann"}
    assert document(*advise) == told, "typed twice it is one word"
    (left,) = document("quarantine", "list", "sales")["left_out"]
    assert (left["file"], left["reason"], left["by"]) == ("january.csv", "meter", "ann")
    dismiss = ("quarantine", "dismiss", "sales", sha256[:12], "--reason", "new meter")
    assert f"sales: {sha256[:12]} is taken by trainings" in call(*dismiss).output
    assert document(*dismiss)["reason"] == "new meter"
    assert document("quarantine", "list", "sales")["left_out"] == []
    kinds = [e.kind for e in env.ledger.events() if e.kind.startswith("quarantine")]
    assert kinds == ["quarantine_advised", "quarantine_dismissed"]


@pytest.mark.parametrize("verb", ["advise", "dismiss"])
@pytest.mark.parametrize(
    ("dataset", "file", "reason", "says"),
    [
        ("sails", "january.csv", "x", "there is no dataset 'sails'"),
        ("sales", "february.csv", "x", "sales has no published file 'february.csv'"),
        ("sales", "broken.csv", "x", "no published file 'broken.csv'; 'trimtab data log sales'"),
        ("sales", "", "x", "sales has no published file ''"),
        ("sales", "january.csv", " ", "needs a reason; say why"),
    ],
)
def test_a_word_needs_a_published_file_and_a_reason(
    call: Call, document: Document, january: Path, verb: str, dataset: str, file: str,
    reason: str, says: str,
) -> None:  # fmt: skip
    broken = january.with_name("broken.csv")
    broken.write_text("nothing,here\n1,2\n")
    document("ingest", "sales", january, broken)
    result = call("quarantine", verb, dataset, file, "--reason", reason)
    assert result.exit_code == 1
    assert says in result.stderr
    assert "Traceback" not in result.output
    assert call("quarantine", verb, dataset, file).exit_code == 2, "why is asked for"


def test_a_name_of_two_files_or_a_short_hash_names_none(document: Document, january: Path) -> None:
    """The second is the first one delivered again, with more rows."""
    rows = january.read_text().splitlines()
    shas = []
    for last in (91, 101):
        january.write_text("\n".join([rows[0], *rows[31:last]]) + "\n")
        shas.append(document("ingest", "sales", january)["files"][0]["sha256"])
    advise = ("quarantine", "advise", "sales")
    told = document(*advise, "january.csv", "--reason", "x")["error"]["message"]
    assert "2 published files of sales are called january.csv; name one by its hash" in told
    assert "'trimtab data log sales' lists them" in told
    short = document(*advise, shas[1][:7], "--reason", "x")["error"]["message"]
    assert "sales has no published file" in short
    assert document(*advise, shas[1][:8], "--reason", "x")["sha256"] == shas[1]


def test_corrected_rows_are_published_and_wait_no_longer(
    document: Document, january: Path, env: Environment
) -> None:
    document("ingest", "sales", january)
    out = january.with_name("fix.csv")
    document("quarantine", "show", "sales", "--out", out)
    fix(out, GOOD)
    told = document(
        "quarantine", "release", "sales", out, "--reason", "typing errors", "--by", "ann"
    )
    assert "error" not in told
    assert told["intakes"][0]["accepted"] == 3
    assert table(env)["id"].to_list() == list(range(100))
    assert table(env).filter(pl.col("id") == 7)["amount"].item() == 5
    assert document("quarantine", "list", "sales")["rows"] == []
    event = env.ledger.latest("release", "sales")
    assert event is not None
    assert (event.actor, event.payload["reason"]) == ("ann", "typing errors")
    (positions,) = event.payload["rows"].values()
    assert sorted(positions) == [8, 9, 21]


def test_formulas_are_written_with_care_and_come_back(document: Document, january: Path) -> None:
    document("ingest", "sales", january)
    out = january.with_name("fix.csv")
    document("quarantine", "show", "sales", "--out", out)
    rows = {row["_row"]: row for row in fix(out, {})}
    assert rows["9"]["amount"] == "'=1+1"
    assert rows["8"]["amount"] == "-5"  # a number is no formula
    again = document("quarantine", "release", "sales", out, "--reason", "none")
    assert "refuses" in again["error"]["message"]  # nothing was corrected


def test_a_release_twice_releases_once(document: Document, january: Path, env: Environment) -> None:
    document("ingest", "sales", january)
    out = january.with_name("fix.csv")
    document("quarantine", "show", "sales", "--out", out)
    fix(out, GOOD)
    first = document("quarantine", "release", "sales", out, "--reason", "typing errors")
    assert document("quarantine", "release", "sales", out, "--reason", "other") == first
    assert table(env).height == 100


@pytest.mark.parametrize("step", ["ingest_path", "validate", "publish"])
def test_a_killed_release_is_finished_by_the_next(
    document: Document, january: Path, env: Environment, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    from trimtab.stages import ingest, publish, validate

    document("ingest", "sales", january)
    out = january.with_name("fix.csv")
    document("quarantine", "show", "sales", "--out", out)
    fix(out, GOOD)
    module = {"ingest_path": ingest, "validate": validate, "publish": publish}[step]
    real = getattr(module, step)

    def killed(*arguments: Any) -> None:
        real(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, step, killed)
        with pytest.raises(KeyboardInterrupt):
            release(env, "sales", out, actor="ann", reason="typing errors")
    assert env.ledger.latest("release", "sales") is None
    done = release(env, "sales", out, actor="ann", reason="typing errors")
    assert done.intakes[0].accepted == 3
    assert table(env)["id"].to_list() == list(range(100))


def test_all_problems_of_a_corrected_file_at_once(document: Document, january: Path) -> None:
    document("ingest", "sales", january)
    out = january.with_name("fix.csv")
    document("quarantine", "show", "sales", "--out", out)
    rows = fix(out, GOOD)
    save(out, [rows[0], rows[0], {**rows[1], "_row": "3"}, {**rows[2], "_row": "x"}])
    message = document("quarantine", "release", "sales", out, "--reason", "r")["error"]["message"]
    assert "3 problem(s)" in message
    assert "line 3: row '8'" in message
    assert "there twice" in message
    assert "row '3' of" in message
    assert "no position" in message


def test_a_file_without_origin_is_refused(document: Document, january: Path) -> None:
    document("ingest", "sales", january)
    bare = january.with_name("bare.csv")
    bare.write_text("id,amount,late\n7,5,true\n")
    message = document("quarantine", "release", "sales", bare, "--reason", "r")["error"]["message"]
    assert "_file, _row" in message


def test_a_row_that_is_bad_again_goes_back(
    document: Document, january: Path, project: Path
) -> None:
    contract = project / "config" / "datasets" / "sales.yaml"
    contract.write_text(contract.read_text() + "max_bad_rows: 0.5\n")
    document("ingest", "sales", january)
    out = january.with_name("fix.csv")
    document("quarantine", "show", "sales", "--out", out)
    fix(out, {**GOOD, "9": {"amount": "none"}})
    told = document("quarantine", "release", "sales", out, "--reason", "typing errors")
    assert told["intakes"][0]["quarantined"] == {"bad_type": 1}
    (left,) = document("quarantine", "list", "sales")["rows"]
    assert left["file"].startswith("release-")
    document("quarantine", "show", "sales", "--out", out)
    (row,) = fix(out, {"2": {"amount": "8.5"}})
    assert row["id"] == "8"
    document("quarantine", "release", "sales", out, "--reason", "again")
    assert document("quarantine", "list", "sales")["rows"] == []


def test_what_a_release_may_not_do(env: Environment, january: Path, project: Path) -> None:
    out = january.with_name("fix.csv")
    out.write_text("id\n")
    with pytest.raises(DataError, match="needs a reason"):
        release(env, "sales", out, actor="ann", reason=" ")
    contract = project / "config" / "datasets" / "sales.yaml"
    contract.write_text(contract.read_text() + "write: replace_partition\n")
    other = open_environment(home=project / "home", config=project / "config")
    with pytest.raises(DataError, match="deliver the whole corrected file"):
        stage.release(other, "sales", out, actor="ann", reason="r")


VISITS = """\
dataset: visits
owner: shop
source: {uri: landing/visits, format: jsonl, named: 'visits-([0-9-]+)[.]jsonl'}
key: [id]
time: at
partition: day
limits: {min_rows: 50}
history: {min_files: 2}
max_bad_rows: 0.6
columns:
  id: {type: text, pattern: "[0-9]{4}"}
  at: {type: time}
  pages: {type: int, min: 0}
checks:
  - {expect: expect_table_row_count_to_be_between, min_value: 50, severity: block}
"""


@pytest.fixture
def visits(project: Path) -> list[Path]:
    """Two days as JSON Lines; in each, row 3 has a word for a number and row 4 another day."""
    (project / "config" / "datasets" / "visits.yaml").write_text(VISITS)
    files = []
    for day in (4, 5):
        rows = [
            {"id": f"{day:02d}{n:02d}", "at": f"2026-01-{day:02d}T10:00:{n:02d}Z", "pages": n}
            for n in range(60)
        ]
        rows[2]["pages"] = "two"
        rows[3]["at"] = "2026-01-09T10:00:00Z"
        file = project / f"visits-2026-01-{day:02d}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        files.append(file)
    return files


def test_rows_of_several_files_go_back_to_their_own_days(
    document: Document, visits: list[Path], env: Environment
) -> None:
    """Also: of another format, below the size of a delivery, under the rule of the file's name."""
    told = document("ingest", "visits", *visits)
    assert [file["accepted"] for file in told["files"]] == [58, 58]
    out = visits[0].with_name("fix.csv")
    document("quarantine", "show", "visits", "--out", out)
    rows = fix(out, {"3": {"pages": "2"}})
    for row in rows:
        if row["_row"] == "4":
            row["at"] = f"2026-01-{row['id'][:2]}T12:00:00Z"
    save(out, rows)
    done = document("quarantine", "release", "visits", out, "--reason", "clock was wrong")
    assert [each["accepted"] for each in done["intakes"]] == [2, 2]
    assert [each["name"][:18] for each in done["intakes"]] == [
        "release-2026-01-04",
        "release-2026-01-05",
    ]
    table = pl.read_delta(env.table("visits"))
    assert table.group_by("_partition").len().sort("_partition").rows() == [
        ("2026-01-04", 60),
        ("2026-01-05", 60),
    ]
    assert document("quarantine", "list", "visits")["rows"] == []


def test_a_row_of_another_day_is_not_waved_through(document: Document, visits: list[Path]) -> None:
    document("ingest", "visits", visits[0])
    out = visits[0].with_name("fix.csv")
    document("quarantine", "show", "visits", "--out", out, "--reason", "outside_partition")
    message = document("quarantine", "release", "visits", out, "--reason", "r")["error"]["message"]
    assert "partition_mismatch" in message


def test_one_refused_group_leaves_its_rows_where_they_are(
    document: Document, visits: list[Path]
) -> None:
    document("ingest", "visits", *visits)
    out = visits[0].with_name("fix.csv")
    document("quarantine", "show", "visits", "--out", out, "--reason", "bad_type")
    rows = fix(out, {})
    rows[0]["pages"] = "2"
    save(out, rows)
    told = document("quarantine", "release", "visits", out, "--reason", "typing error")
    assert "its rows stay in quarantine" in told["error"]["message"]
    left = document("quarantine", "show", "visits", "--reason", "bad_type")["shown"]
    assert [row["file"] for row in left] == [visits[1].name]


def test_small_corrected_files_are_no_history(
    document: Document, visits: list[Path], project: Path
) -> None:
    document("ingest", "visits", *visits)
    for day in range(4):
        out = project / f"fix{day}.csv"
        document("quarantine", "show", "visits", "--out", out, "--reason", "bad_type")
        rows = fix(out, {"3": {"pages": "2"}})
        save(out, rows[:1])
        document("quarantine", "release", "visits", out, "--reason", "typing error")
        if len(rows) == 1:
            break
    text = visits[1].read_text().replace("2026-01-05", "2026-01-06").replace('"05', '"06')
    third = project / "visits-2026-01-06.jsonl"
    third.write_text(text)
    assert document("ingest", "visits", third)["files"][0]["verdict"] == "accepted"


def test_good_rows_the_table_cannot_take_are_said_and_the_next_file_goes_on(
    document: Document, january: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trimtab.stages import publish

    def other_columns(*_arguments: Any) -> None:
        raise DataError("the table has other columns")

    monkeypatch.setattr(publish, "publish", other_columns)
    february = january.with_name("february.csv")
    february.write_text(january.read_text().replace("99,", "199,"))
    told = document("ingest", "sales", january, february)
    assert [(file["verdict"], file["version"]) for file in told["files"]] == [
        ("accepted", None)
    ] * 2
    assert told["files"][0]["detail"] == "the table has other columns"
    assert "2 of 2" in told["error"]["message"]

"""The papers of a version: complete, valid, the same every time, and no byte changes unseen."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from trimtab.cli import app
from trimtab.config import load_project
from trimtab.environment import Environment
from trimtab.errors import IntegrityError, LedgerConflictError
from trimtab.evaluation.papers import annex, bundle, lineage_schema
from trimtab.ledger import Ledger, champion, versions
from trimtab.stages.approve import approve
from trimtab.stages.dossier import dossier, issued
from trimtab.stages.evaluate import evaluate
from trimtab.stages.features import build_features
from trimtab.stages.papers import gather
from trimtab.stages.promote import promote
from trimtab.stages.train import train
from trimtab.stages.verify import verify
from trimtab.training import record
from trimtab.types import CheckResult, Disturbance, Dossier, Validation

WORDS = """\
limits: Knows <script>alert("plants")</script> of one garden only.
oversight: The gardener looks at every plant that is called an oak.
"""
PAPERS = {
    *("annex_iv.json", "approvals.json", "behaviour.json", "card.html", "card.md"),
    *("data_sheet.json", "events.json", "fairness.json", "gate.html", "gate.json", "index.html"),
    *("history.json", "importance.json", "lineage.json", "metrics.json", "monitoring_plan.json"),
    *("record.json", "reproduce.sh", "robustness.json", "slices.json"),
    *("config/models/kind.yaml", "config/datasets/plants.yaml"),
    *("environment/requirements.txt", "environment/sbom.cdx.json", "environment/uv.lock"),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the home with a promoted ``kind`` and an unjudged ``late`` is kept, once it is."""
    return tmp_path_factory.mktemp("issued") / "home"


@pytest.fixture
def env(open_env: Any, rides: Any, publish: Any, kept: Path, tmp_path: Path) -> Environment:
    (tmp_path / "uv.lock").write_text("version = 1\n")
    opened: Environment = open_env({**rides.FILES, **_models(rides)})
    if not kept.exists():
        rides.publish_all(opened, publish)
        _checked(opened)
        train(opened, "late", build_features(opened, "late").key)
        train(opened, "kind", build_features(opened, "kind").key)
        evaluate(opened, "kind", 1)
        approve(opened, "kind", 1)
        promote(opened, "kind", 1)
        opened.ledger.engine.dispose()
        shutil.copytree(opened.home, kept)
    else:
        opened.ledger.engine.dispose()
        shutil.rmtree(opened.home)
        shutil.copytree(kept, opened.home)
    return opened


def _models(rides: Any) -> dict[str, str]:
    """Two models that are trained quickly; ``kind`` passes the gate."""
    kind, late = (rides.FILES[f"models/{name}.yaml"] for name in ("kind", "late"))
    kind = kind.replace("[boosted_trees]", "[linear]") + WORDS
    kind = kind.replace("{min_rows: 20}", "{min_rows: 20, slices: [soil], slice_min_rows: 20}")
    late = late.replace("[linear, boosted_trees]", "[linear]").replace("trials: 2", "trials: 1")
    return {"models/kind.yaml": kind, "models/late.yaml": late}


def _checked(env: Environment) -> None:
    """What validate would leave behind."""
    event = env.ledger.events("file", "plants")[0]
    found = CheckResult(
        expectation="expect_column_values_to_not_be_null",
        column="height",
        severity="block",
        success=True,
    )
    told = Validation(dataset="plants", sha256=event.key, passed=True, results=(found,))
    env.ledger.append("validation", "plants", event.key, told.to_json())


def papers(env: Environment, made: Dossier) -> Path:
    return env.lake / made.uri / bundle.PAPERS


def read(env: Environment, made: Dossier, name: str) -> Any:
    return json.loads((papers(env, made) / name).read_text())


def test_a_promotion_issues_all_papers(env: Environment) -> None:
    (made,) = issued(env, "kind", 1)
    assert set(made.manifest) >= PAPERS
    there = {str(f.relative_to(papers(env, made))) for f in papers(env, made).rglob("*.*")}
    assert there == {*made.manifest, bundle.MANIFEST}
    with zipfile.ZipFile(env.lake / made.uri / bundle.ZIP) as archive:
        assert archive.testzip() is None
        names = {name.removeprefix("kind-v1/") for name in archive.namelist()}
        assert archive.read("kind-v1/index.html") == (papers(env, made) / "index.html").read_bytes()
    assert names == there
    alone = (env.reports / "models/kind/v1/dossier.html").read_text()
    assert "annex_iv.json" in alone
    assert "<a href" not in alone, "what it would link to is in the zip"
    assert '<a href="annex_iv.json">' in (papers(env, made) / "index.html").read_text()


def test_annex_iv_is_filled_from_the_records(env: Environment) -> None:
    made = dossier(env, "kind", 1)
    found = read(env, made, "annex_iv.json")
    assert [heading["number"] for heading in found["headings"]] == list("123456789")
    done = made.completeness
    assert (done.fields, done.written) == (42, 3)
    assert set(done.missing) <= {"2.g.3", "8"}, "disturbed rows, where none were; a signature"
    assert done.automatic == 39 - len(done.missing)
    for heading in found["headings"]:
        for clause in heading["clauses"]:
            assert clause["kind"] in ("value", "pointer", "not applicable", "missing")
            for place in clause.get("pointer", ()):
                assert _resolved(papers(env, made), place), place


def test_nine_tenths_need_no_person(env: Environment) -> None:
    facts = gather(env, "kind", 1)
    assert facts.verdict
    noise = Disturbance(name="noise", value=0.8, change=-0.02)
    judged = facts.verdict.model_copy(update={"robustness": (noise,)})
    done = annex.completeness(annex.answers(dataclasses.replace(facts, verdict=judged)))
    assert done.automatic_share >= 0.9
    assert done.missing == ("8",), "the signature of a person"


def _resolved(folder: Path, place: str) -> Any:
    name, _, inside = place.partition("#/")
    if not inside:
        return (folder / name).exists()
    found = json.loads((folder / name).read_text())
    for part in inside.split("/"):
        found = found[part]
    return found is not None


def test_the_same_state_gives_the_same_bytes_in_another_process_too(
    env: Environment, tmp_path: Path
) -> None:
    first = dossier(env, "kind", 1)
    shutil.rmtree(env.lake / first.uri)
    env.ledger.append("scoring", "kind", "later", {"version": 1, "rows": 3})
    verify(env, "kind", 1)
    call = [sys.executable, "-m", "trimtab.cli", "dossier", "kind@1", "--json"]
    folders = ["--home", str(env.home), "--config", str(tmp_path / "config")]
    done = subprocess.run(
        [*call, *folders, "--out", str(tmp_path / "out")],
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        text=True,
    )
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)
    assert (again["key"], again["zip_sha256"]) == (first.key, first.zip_sha256)
    assert len(issued(env, "kind", 1)) == 1
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == ["kind-v1.html", "kind-v1.zip"]


def test_a_later_decision_makes_other_papers_and_the_first_stay(env: Environment) -> None:
    first = dossier(env, "kind", 1)
    env.ledger.append("certificate_asked", "kind", "1", {"version": 1}, actor="ann")
    second = dossier(env, "kind", 1)
    assert second.key != first.key
    assert [each.key for each in issued(env, "kind", 1)] == [first.key, second.key]
    assert verify(env, "kind", 1).intact


def test_the_bill_of_materials_is_valid_and_complete(env: Environment) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = (papers(env, dossier(env, "kind", 1)) / "environment/sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found = json.loads(text)
    libraries = {c["name"]: c for c in found["components"] if c["type"] == "library"}
    assert {name: c["version"] for name, c in libraries.items()} == record.installed()
    licensed = [name for name, c in libraries.items() if c.get("licenses")]
    assert len(licensed) >= 0.9 * len(libraries)
    assert found["metadata"]["component"]["name"] == "kind"


def test_the_lineage_is_valid_openlineage(env: Environment) -> None:
    events = read(env, dossier(env, "kind", 1), "lineage.json")
    lineage_schema.validate(events)
    told = [(event["eventType"], event["job"]["name"]) for event in events]
    jobs = ["plants.publish", "kind.features", "kind.train", "kind.gate", "kind.approval"]
    assert told == [(t, j) for j in [*jobs, "kind.champion"] for t in ("START", "COMPLETE")]
    (file,) = events[1]["inputs"]
    assert file["name"] == "landing/plants/plants_1.csv"
    (check,) = file["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert (check["column"], check["success"]) == ("height", True)


def _no_run(event: dict[str, Any]) -> None:
    del event["run"]["runId"]


def _no_uuid(event: dict[str, Any]) -> None:
    event["run"]["runId"] = "one"


def _no_time(event: dict[str, Any]) -> None:
    event["eventTime"] = "yesterday"


def _odd_state(event: dict[str, Any]) -> None:
    event["eventType"] = "DONE"


def _odd_facet(event: dict[str, Any]) -> None:
    event["job"]["facets"]["jobType"]["processingType"] = 3


def _odd_key(event: dict[str, Any]) -> None:
    event["outputs"][0]["colour"] = "red"


@pytest.mark.parametrize("spoil", [_no_run, _no_uuid, _no_time, _odd_state, _odd_facet, _odd_key])
def test_a_spoilt_event_is_no_openlineage(
    env: Environment, spoil: Callable[[dict[str, Any]], None]
) -> None:
    events = read(env, issued(env, "kind", 1)[0], "lineage.json")
    spoil(events[1])
    with pytest.raises(IntegrityError, match="event 1"):
        lineage_schema.validate(events)


@pytest.mark.parametrize("model", ["kind", "late"])
def test_the_configuration_can_be_used_and_is_the_recorded_one(
    env: Environment, model: str
) -> None:
    made = dossier(env, model, 1)
    project = load_project(papers(env, made) / "config")
    assert project.problems == ()
    assert (
        record.config_hash(project.models[model])
        == versions.candidate(env.ledger, model, 1).config_hash
    )


def test_the_script_asks_for_the_rebuild_of_this_version(env: Environment, tmp_path: Path) -> None:
    made = dossier(env, "kind", 1)
    stub = tmp_path / "bin" / "trimtab"
    stub.parent.mkdir()
    stub.write_text('#!/bin/sh\necho "$@"\n')
    stub.chmod(0o755)
    with zipfile.ZipFile(env.lake / made.uri / bundle.ZIP) as archive:
        mode = archive.getinfo("kind-v1/reproduce.sh").external_attr >> 16
    path = f"{stub.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", papers(env, made) / "reproduce.sh", "--anyway"],
        capture_output=True,
        env={**os.environ, "PATH": path},
        text=True,
    )
    assert (done.stdout, mode & 0o111) == ("reproduce kind@1 --anyway\n", 0o111)


def test_a_version_nobody_judged_says_what_is_missing(env: Environment) -> None:
    made = dossier(env, "late", 1)
    assert {"2.g.2", "2.g.3", "2.g.4", "2.g.5", "3.1", "3.2", "3.3", "8"} == {
        *made.completeness.missing
    }
    assert read(env, made, "metrics.json") == {
        "measured": False,
        "reason": "the version has not been judged",
    }
    assert "gate.html" not in made.manifest
    sheet = read(env, made, "data_sheet.json")
    assert [each["dataset"] for each in sheet["collection"]] == ["air", "cars", "rides"]
    assert sheet["composition"]["rows"]["without_label"] > 0


def test_hostile_words_stay_words(env: Environment) -> None:
    made = dossier(env, "kind", 1)
    for name in ("index.html", "card.html", "gate.html"):
        assert "<script>alert" not in (papers(env, made) / name).read_text()
    page = (papers(env, made) / "index.html").read_text()
    assert "&lt;script&gt;alert" in page
    config = yaml.safe_load((papers(env, made) / "config/models/kind.yaml").read_text())
    assert config["limits"].startswith("Knows <script>")


def test_no_paper_tells_where_it_was_made(env: Environment) -> None:
    made = dossier(env, "kind", 1)
    for name in made.manifest:
        if not name.endswith(".png"):
            text = (papers(env, made) / name).read_text()
            assert str(env.home) not in text, name


def test_issued_papers_are_not_written_over(env: Environment) -> None:
    (made,) = issued(env, "kind", 1)
    (papers(env, made) / "approvals.json").write_text("{}")
    with pytest.raises(IntegrityError, match=r"approvals\.json is not what was issued"):
        dossier(env, "kind", 1)


def test_killed_before_the_event_it_is_finished_by_the_next(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    env.ledger.append("certificate_asked", "kind", "1", {"version": 1})
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "append", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            dossier(env, "kind", 1)
    made = dossier(env, "kind", 1)
    assert issued(env, "kind", 1)[-1] == made
    assert verify(env, "kind", 1).intact


def test_papers_that_cannot_be_made_undo_no_promotion(
    env: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    candidate = versions.candidate(env.ledger, "kind", 1)
    (env.lake / candidate.uri / "model.json").write_text("{}")
    assert promote(env, "kind", 1).version == 1
    assert "its dossier was not issued" in caplog.text
    assert champion.current(env.ledger, "kind")


def _appended(file: Path) -> None:
    with file.open("ab") as stream:
        stream.write(b" ")


def _package(env: Environment) -> Path:
    return env.lake / versions.candidate(env.ledger, "kind", 1).uri


def _features(env: Environment) -> Path:
    return env.lake / versions.candidate(env.ledger, "kind", 1).features.uri


def _table(env: Environment) -> Path:
    return next((env.lake / "datasets/plants").glob("*.parquet"))


def _papers(env: Environment) -> Path:
    return papers(env, issued(env, "kind", 1)[0])


TAMPERED: dict[str, tuple[Callable[[Environment], Path], str]] = {
    "model": (lambda env: _package(env) / "model.skops", "package file model.skops"),
    "record": (lambda env: _package(env) / "model.json", "package file model.json"),
    "rows": (_features, "feature rows"),
    "data": (_table, "dataset plants version 0, file"),
    "lock": (lambda env: next((env.lake / "locks").iterdir()), "lock file locks/"),
    "paper": (lambda env: _papers(env) / "gate.json", "gate.json: SHA-256"),
    "manifest": (lambda env: _papers(env) / "manifest.json", "does not list"),
    "zip": (lambda env: _papers(env).parent / "dossier.zip", "dossier.zip: SHA-256"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_every_changed_file_is_named(env: Environment, what: str) -> None:
    find, says = TAMPERED[what]
    file = find(env)
    assert verify(env, "kind", 1).altered == ()
    if what == "manifest":
        file.write_text("{}")
    else:
        _appended(file)
    found = verify(env, "kind", 1)
    assert not found.intact
    assert len(found.altered) == 1
    assert says in found.altered[0]
    file.unlink()
    assert verify(env, "kind", 1).intact == (what == "lock"), "the project still has its lock file"


def test_the_exit_code_says_whether_files_changed(env: Environment, tmp_path: Path) -> None:
    call = ["verify", "kind@v1", "--no-data", "--home", str(env.home)]
    call += ["--config", str(tmp_path / "config"), "--json"]
    done = CliRunner().invoke(app, call)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["intact"]
    _appended(_package(env) / "recorded.parquet")
    done = CliRunner().invoke(app, call)
    assert done.exit_code == 3
    assert "package file recorded.parquet" in json.loads(done.stdout)["error"]["message"]
    assert CliRunner().invoke(app, ["verify", "kind"]).exit_code == 2


def test_a_file_that_was_put_there_is_named(env: Environment) -> None:
    (_papers(env) / "figures" / "better.png").write_bytes(b"x")
    assert "figures/better.png: was not issued" in verify(env, "kind", 1).altered[0]


def test_the_result_is_an_entry_of_the_ledger(env: Environment) -> None:
    found = verify(env, "kind", 1, data=False)
    event = env.ledger.latest("version_verified", "kind")
    assert event
    assert event.payload == found.to_json()
    assert found.notes == ("files of the datasets were left out",)
    assert found.files < verify(env, "kind", 1).files


def test_two_answers_cannot_both_be_in_the_papers(env: Environment) -> None:
    with pytest.raises(LedgerConflictError):
        approve(env, "kind", 1, approved=False, actor="bob")
    told = read(env, dossier(env, "kind", 1), "approvals.json")
    assert told["answer"]["approved"]
    assert [event["kind"] for event in told["followed"]] == ["champion"]

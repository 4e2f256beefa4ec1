"""The gate report: what it tells in each case, with every part there, missing or hostile."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from trimtab.cli.configuration import schemas
from trimtab.config.model import ModelSpec
from trimtab.evaluation import pictures, report, story
from trimtab.evaluation.story import Link, Standing
from trimtab.types import (
    Approval,
    Behaved,
    Candidate,
    Champion,
    Disturbance,
    FeatureSet,
    GateVerdict,
    GroupGap,
    Rule,
)

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202e'
RULES = (
    Rule(
        name="unseen_rows", passed=True, value=0, limit=0, reason="No row was seen.", about="rows"
    ),
    Rule(name="threshold", passed=True, value=0.71, limit=0.62, reason="0.71 reaches 0.62."),
    Rule(name="versus_champion", passed=True, value=-0.001, limit=-0.005, reason="It keeps up."),
    Rule(
        name="slice_floor",
        passed=True,
        value=0.6,
        limit=0.55,
        reason="None is below.",
        about="slices",
    ),
    Rule(name="calibration", passed=True, value=0.02, limit=0.05, reason="Calibrated."),
    Rule(
        name="purpose",
        passed=False,
        reason="No limits are written.",
        severity="warn",
        about="record",
    ),
)


def slice_of(value: str, metric: float, champion: float | None = 0.7) -> dict[str, Any]:
    return {
        "column": "carrier",
        "value": value,
        "rows": 1200,
        "metric": metric,
        "interval": [metric - 0.02, metric + 0.02],
        "champion": champion,
        "difference": [-0.02, 0.0, 0.02],
    }


def full(**changes: Any) -> GateVerdict:
    """A verdict with every part."""
    values: dict[str, Any] = {
        "model": "flight_delay",
        "version": 2,
        "verdict": "PROMOTE",
        "reasons": ("ROC AUC differs by +0.004.", "ROC AUC 0.71 reaches 0.62."),
        "rules": RULES,
        "primary": "roc_auc",
        "value": 0.71,
        "interval": (0.703, 0.717),
        "champion": 1,
        "champion_value": 0.706,
        "difference": (-0.001, 0.004, 0.009),
        "metrics": {
            "roc_auc": 0.71,
            "champion.roc_auc": 0.706,
            "linear.roc_auc": 0.69,
            "dummy.roc_auc": 0.5,
        },
        "slices": (slice_of("UA", 0.72), slice_of("MQ", 0.52)),
        "fairness": (
            GroupGap(
                column="origin",
                measure="equalized_odds",
                gap=0.14,
                interval=(0.11, 0.17),
                limit=0.1,
                groups={"EWR": 0.61, "JFK": 0.75},
                rows={"EWR": 4000, "JFK": 3900},
                skipped={"LGA": 12},
                passed=False,
            ),
            GroupGap(
                column="origin",
                measure="demographic_parity",
                gap=0.03,
                interval=(0.01, 0.05),
                groups={"EWR": 0.2, "JFK": 0.23},
                rows={"EWR": 4000, "JFK": 3900},
            ),
        ),
        "robustness": (
            Disturbance(name="noise", value=0.708, change=-0.002, limit=0.02),
            Disturbance(
                name="shuffled", column="hour", value=0.6, change=-0.11, limit=0.1, passed=False
            ),
        ),
        "behaviour": (
            Behaved(name="later_is_later", kind="direction", cases=200, failures=3, passed=True),
            Behaved(name="no_names", kind="invariance", cases=0, failures=0, passed=False),
        ),
        "calibration": 0.02,
        "operation": {"size": 1_250_000, "latency": 0.02, "memory": 90_000_000, "odd_one": 3.0},
        "resampling": "day",
        "rows": 12_345,
        "holdout_sha256": "5c0f" * 16,
        "holdout_from": datetime(2013, 5, 1, tzinfo=UTC),
        "holdout_until": datetime(2013, 5, 31, tzinfo=UTC),
    }
    return GateVerdict(**{**values, **changes})


def bare(**changes: Any) -> GateVerdict:
    """A verdict as it is when nothing could be measured."""
    nothing = float("nan")
    failed = Rule(name="enough_rows", passed=False, decides="hold", reason="7 rows are missing.")
    values: dict[str, Any] = {
        "model": "flight_delay",
        "version": 2,
        "verdict": "HOLD",
        "reasons": (failed.reason,),
        "rules": (failed,),
        "primary": "roc_auc",
        "value": nothing,
        "interval": (nothing, nothing),
        "rows": 493,
    }
    return GateVerdict(**{**values, **changes})


def spec(**changes: Any) -> ModelSpec:
    values = {
        "model": "flight_delay",
        "purpose": "Warn a traveller before departure.",
        "owner": "ops",
        "data": {"from": "flights"},
        "target": {"column": "late"},
        "gate": {"min": 0.99, "versus_champion": {"margin": 0.9}},  # not what it was judged by
    }
    return ModelSpec.model_validate({**values, **changes})


def candidate(version: int = 2, **changes: Any) -> Candidate:
    features = FeatureSet(
        model="flight_delay",
        key="f" * 64,
        uri="features/x.parquet",
        task="binary",
        numeric=("hour",),
        train_rows=90_000,
        holdout_rows=12_345,
        versions={"flights": version},
    )
    values: dict[str, Any] = {
        "model": "flight_delay",
        "version": version,
        "key": "k" * 64,
        "features": features,
        "uri": "models/x",
        "manifest": {},
        "estimator": "boosted_trees" if version > 1 else "linear",
        "params": {},
        "validation": {"roc_auc": 0.7},
        "trials": 3,
        "config_hash": "c" * 64,
    }
    return Candidate(**{**values, **changes})


class Page(HTMLParser):
    """Every element with its attributes, the text, and whether all elements were closed."""

    VOID = ("meta", "br", "img", "link", "input", "circle", "line", "rect")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words, self.open = "", list[str]()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    @property
    def attributes(self) -> Iterator[tuple[str, str]]:
        for _, found in self.elements:
            yield from ((name, value or "") for name, value in found.items())


def page(verdict: GateVerdict, **standing: Any) -> Page:
    champion = candidate(1) if verdict.champion else None
    return Page(report.html(verdict, spec(), candidate(), champion, None, Standing(**standing)))


def test_every_part_has_its_section() -> None:
    found = page(full())
    titles = (
        "How good, how sure|Side by side|Slices|Fairness|Robustness|Behaviour|Size and speed|Rules"
    )
    for title in titles.split("|"):
        assert title in found.words
    assert "Calibration error" in found.words
    assert "LGA (12 rows)" in found.words
    assert "1.25 MB" in found.words
    assert "odd one" in found.words
    assert not found.open


def test_what_was_not_measured_has_no_section() -> None:
    found = page(bare())
    for title in ("How good", "Slices", "Fairness", "Robustness", "Behaviour", "Size and speed"):
        assert title not in found.words
    assert "7 rows are missing." in found.words
    assert "nan" not in found.words.lower()


def test_a_record_of_before_these_parts_is_shown() -> None:
    old = full().to_json()
    for name in ("fairness", "robustness", "behaviour", "calibration", "operation", "resampling"):
        del old[name]
    for rule in old["rules"]:
        del rule["about"], rule["severity"]
    found = page(GateVerdict.model_validate(old))
    assert "Slices" in found.words
    assert "Calibration error" not in found.words


def test_a_page_from_the_ledger_is_the_page_from_memory() -> None:
    for verdict in (full(), bare()):
        again = GateVerdict.model_validate(json.loads(json.dumps(verdict.to_json())))
        assert page(again).words == page(verdict).words


def test_no_script_no_handler_nothing_from_elsewhere() -> None:
    found = page(full(), links=(Link("Data", "flights@2", "../../../datasets/a.html"),))
    assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in found.elements}
    assert all(not name.startswith("on") and name != "src" for name, _ in found.attributes)
    hrefs = [value for name, value in found.attributes if name == "href"]
    assert hrefs == ["../../../datasets/a.html", "gate.json"]


def hostile(value: Any) -> Any:
    """Every text of a record that people or data may have written, replaced by an attack."""
    kept = {"verdict", "decides", "severity", "about", "measure", "kind", "primary", "model"}
    closed = {"noise", "missing", "unseen", "extreme", "shuffled"}
    if isinstance(value, dict):
        return {
            (HOSTILE if key in ("EWR", "LGA", "odd_one") else key): (
                each if key in kept else hostile(each)
            )
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [hostile(each) for each in value]
    is_text = isinstance(value, str) and value not in closed and not value.startswith("2013-")
    return HOSTILE if is_text else value


def test_hostile_values_stay_text() -> None:
    verdict = GateVerdict.model_validate(hostile(full().to_json()))
    made = candidate(
        estimator=HOSTILE,
        git_commit=HOSTILE,
        run_id=HOSTILE,
        features=candidate().features.model_copy(
            update={"cause": HOSTILE, "versions": {HOSTILE: 1}}
        ),
    )
    whose = spec(purpose=HOSTILE, owner=HOSTILE, limits=HOSTILE, tags=(HOSTILE,))
    answer = Approval(model="m", version=2, approved=True, actor=HOSTILE, reason=HOSTILE)
    standing = Standing(approval=answer, links=(Link(HOSTILE, HOSTILE),))
    found = Page(report.html(verdict, whose, made, made, None, standing))
    assert not {"script", "img"} & {tag for tag, _ in found.elements}
    assert all(not name.startswith("on") for name, _ in found.attributes)
    assert found.words.count("<script>alert(1)</script>") > 40
    assert not found.open


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (full(), "fit to serve: it passes all 5 rules, and reaches ROC AUC 0.71 where champion"),
        (full(champion=None, champion_value=None), "is fit to serve: it passes all 5 rules."),
        (
            bare(labels_needed=1200),
            "About 1,200 more labelled rows would decide it. Nothing serves",
        ),
        (bare(champion=1), "1 of 1 rule cannot be answered so far. Version 1 keeps serving."),
        (
            full(verdict="REJECT", rules=(RULES[0], Rule(name="leaks", passed=False, reason="x"))),
            "is not fit to serve: 1 of 2 rules refuse it. Version 1 keeps serving.",
        ),
    ],
)
def test_the_verdict_comes_first_in_a_sentence(verdict: GateVerdict, told: str) -> None:
    found = page(verdict)
    assert told in found.words
    assert found.words.index(told) < found.words.index("Why")


def yes(**changes: Any) -> Approval:
    return Approval(**{"model": "m", "version": 2, "approved": True, "actor": "ann", **changes})


@pytest.mark.parametrize(
    ("approve", "standing", "told"),
    [
        ("auto", {}, "By the model file (approve: auto)"),
        (
            {"mode": "manual", "users": ["ann"], "groups": ["ops"], "timeout": "2d"},
            {},
            "Waits for a person (ann or a member of ops); no answer within 2d is a no",
        ),
        ({"mode": "four_eyes"}, {}, "Waits for two different people; no answer"),
        ("auto", {"approval": yes(reason="fine", seconded="bo")}, "Yes, by ann and bo: fine"),
        ("auto", {"approval": yes(actor="auto", reason="-")}, "Yes, by the model file"),
        ("auto", {"approval": yes(approved=False, reason="no")}, "No, by ann: no"),
    ],
)
def test_the_answer_is_told(approve: Any, standing: Any, told: str) -> None:
    way = story.steps(full(), spec(approve=approve), candidate(), Standing(**standing))
    assert way[2].text.startswith(told)


def test_who_serves_is_told() -> None:
    now = Champion(
        model="m", version=2, generation=4, action="promote", actor="ann", reason="", previous=1
    )
    refused = Standing(approval=yes(approved=False))

    def serving(verdict: GateVerdict, standing: Standing) -> str:
        return story.steps(verdict, spec(), candidate(), standing)[3].text

    assert serving(full(), Standing()) == "Not yet"
    assert serving(full(), Standing(promotion=now)) == (
        "Became champion (generation 4, after version 1)"
    )
    assert serving(full(), refused) == "Version 1 keeps serving"
    assert serving(full(verdict="REJECT"), Standing()) == "Version 1 keeps serving"
    assert serving(bare(), Standing()) == "Nothing serves so far"


def test_warnings_are_said_and_do_not_refuse() -> None:
    found = page(full())
    assert "Noted, without a say in the verdict" in found.words
    assert "! warns" in found.words
    assert "refuses" not in found.words


def test_limits_are_those_it_was_judged_by() -> None:
    verdict = full()
    values, difference = pictures.values(verdict), pictures.difference(verdict)
    assert values is not None
    assert difference is not None
    assert [line.value for line in values.lines] == [0.62]
    assert [line.value for line in difference.lines] == [0.0, -0.005]


def test_slices_are_red_where_a_rule_refused() -> None:
    below = Rule(name="slice_floor", passed=False, limit=0.55, reason="MQ", about="slices")
    worse = Rule(name="slice_regression", passed=False, limit=-0.05, reason="UA", about="slices")
    fell = {**slice_of("UA", 0.72), "difference": [-0.1, -0.08, -0.06]}

    def tones(*rules: Rule) -> list[str]:
        plot = pictures.slices(full(rules=rules, slices=(fell, slice_of("MQ", 0.52))))
        assert plot is not None
        return [dot.tone for dot in plot.dots]

    assert tones(below.model_copy(update={"passed": True})) == ["main", "main"]
    assert tones(below) == ["main", "bad"]
    assert tones(worse) == ["bad", "main"]


def test_very_many_slices_show_the_lowest() -> None:
    many = tuple(slice_of(f"c{i}", 0.9 - i / 1000) for i in range(100))
    plot = pictures.slices(full(slices=many))
    assert plot is not None
    assert len(plot.dots) == pictures.MOST
    assert plot.dots[0].label == "carrier = c99"
    assert plot.left_out == 60


def test_fairness_shows_gaps_by_measure_then_groups() -> None:
    verdict = full()
    gaps, groups = pictures.fairness(verdict.fairness), pictures.groups(verdict.fairness)
    assert [(panel.title, panel.passed) for panel in gaps] == [
        ("Positive answers", True),
        ("Equal chances", False),
    ]
    assert [line.value for line in gaps[1].plot.lines] == [0.0, 0.1]
    assert gaps[1].plot.dots[0].tone == "bad"
    assert [dot.value for dot in groups[0].plot.dots] == [0.61, 0.75]


def test_disturbances_carry_the_most_they_may_lose() -> None:
    plot = pictures.robustness(full().robustness, "roc_auc")
    assert plot is not None
    assert [dot.limit for dot in plot.dots] == [-0.02, -0.1]
    assert [dot.tone for dot in plot.dots] == ["main", "bad"]
    assert "hour" in plot.dots[1].label


def test_the_json_beside_it_fits_its_schema(tmp_path: Path) -> None:
    schema = json.loads(schemas()["gate"])
    check = jsonschema.Draft202012Validator(schema)
    check.check_schema(schema)
    for verdict in (full(), bare()):
        file = report.write(tmp_path, verdict, spec(), candidate(), candidate(1))
        told = json.loads(file.with_name("gate.json").read_text())
        assert told == verdict.to_json()
        assert not list(check.iter_errors(told))
    for wrong in ({"verdict": "MAYBE"}, {"value": "good"}, {"unheard_of": 1}, {"rows": None}):
        assert list(check.iter_errors({**told, **wrong})), wrong

"""A user's behaviour tests: what they find, and what is said of tests that are none."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trimtab.errors import TrimtabError
from trimtab.evaluation import behaviour, registry
from trimtab.evaluation.registry import BehaviourTest, behaviour_test


def test_of(kind: Any, cases: Any, **more: Any) -> BehaviourTest:
    return BehaviourTest("mine", kind, cases, **more)


test_of.__test__ = False  # type: ignore[attr-defined]


def judged(trained: Any, test: BehaviourTest, family: str = "linear", task: Any = "binary") -> Any:
    model, frame, _ = trained(family, task)
    return behaviour.run(test, model, frame.head(200), task)


def further(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(x=rows["x"] + 1)


def elsewhere(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["zone"] == "south"].assign(zone="north")


def test_a_direction_is_kept_or_not(trained: Any) -> None:
    good = judged(trained, test_of("direction", further, expect="up"))
    assert (good.cases, good.failures, good.passed) == (200, 0, True)
    bad = judged(trained, test_of("direction", further, expect="down"))
    assert not bad.passed
    assert bad.failures > 150
    assert "became" in bad.detail
    told = behaviour.rule(test_of("direction", further, expect="down"), bad)
    assert (told.name, told.decides, told.about) == ("behaviour_mine", "reject", "behaviour")
    assert f"{bad.failures} of 200 cases of mine (direction) failed" in told.reason


def test_an_invariance_compares_rows_with_themselves(trained: Any) -> None:
    found = judged(trained, test_of("invariance", elsewhere))
    assert 0 < found.cases < 200
    assert found.failures == found.cases  # the label follows the zone
    assert judged(trained, test_of("invariance", elsewhere, tolerance=1.0)).passed
    assert judged(trained, test_of("invariance", lambda rows: rows)).passed


def test_the_rows_given_are_a_copy(trained: Any) -> None:
    def careless(rows: pd.DataFrame) -> pd.DataFrame:
        rows["x"] = 0.0
        return rows

    assert not judged(trained, test_of("invariance", careless)).passed
    assert trained("linear")[1]["x"].nunique() > 100


def test_some_failures_may_be_allowed(trained: Any) -> None:
    def a_tenth(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(x=rows["x"].mask(np.arange(len(rows)) % 10 == 0, 9.0))

    assert not judged(trained, test_of("invariance", a_tenth)).passed
    assert judged(trained, test_of("invariance", a_tenth, allowed=0.1)).passed


def test_of_several_classes_one_moves(trained: Any) -> None:
    found = judged(
        trained, test_of("direction", further, expect="up", label="top"), task="multiclass"
    )
    assert found.passed
    with pytest.raises(TrimtabError, match=r"say label=, one of \['low', 'mid', 'top'\]"):
        judged(trained, test_of("direction", further, expect="up"), task="multiclass")


@pytest.mark.parametrize(
    ("task", "right", "wrong"),
    [
        ("binary", (0, 1), (1, True)),
        ("multiclass", ("low", "top"), ("low", "mid")),
        ("regression", ((-9, -1), (1, 9)), ((-9, -1), (-9, -1))),
    ],
)
def test_minimum_functionality_of_every_task(
    trained: Any, task: Any, right: Any, wrong: Any
) -> None:
    def plain(expected: Any) -> Any:
        return lambda rows: (rows.head(2).assign(x=[-3.0, 3.0], zone="south"), expected)

    assert judged(trained, test_of("minimum", plain(right)), task=task).passed
    found = judged(trained, test_of("minimum", plain(wrong)), task=task)
    assert found.failures == 1
    assert "was expected" in found.detail


def test_a_test_without_cases_does_not_pass(trained: Any) -> None:
    for test in (
        test_of("invariance", lambda rows: rows.head(0)),
        test_of("minimum", lambda rows: (rows.head(0), [])),
    ):
        found = judged(trained, test)
        assert not found.passed
        assert "found no case" in behaviour.rule(test, found).reason


@pytest.mark.parametrize(
    ("kind", "returned", "said"),
    [
        ("invariance", lambda rows: None, "returned NoneType, not a pandas frame"),
        ("invariance", lambda rows: rows.set_axis(rows.index + 1000), "another index"),
        ("invariance", lambda rows: pd.concat([rows, rows]), "another index"),
        ("minimum", lambda rows: rows, "a pandas frame of cases and what is expected"),
        ("minimum", lambda rows: (rows.head(2), [1]), "2 cases and 1 expectations"),
    ],
)
def test_what_is_no_case_is_said(trained: Any, kind: str, returned: Any, said: str) -> None:
    with pytest.raises(TrimtabError, match=f"behaviour test mine .*{said}"):
        judged(trained, test_of(kind, returned))


def test_a_number_needs_bounds(trained: Any) -> None:
    with pytest.raises(TrimtabError, match="the lowest and the highest"):
        judged(trained, test_of("minimum", lambda rows: (rows.head(1), [3])), task="regression")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"kind": "metamorphic"}, "choose from"),
        ({"kind": "direction"}, "say expect='up' or 'down'"),
        ({"kind": "invariance", "expect": "up"}, "take it out"),
        ({"kind": "invariance", "allowed": 1.0}, "a share from 0 to below 1"),
        ({"kind": "invariance", "tolerance": float("nan")}, "tolerance must be 0 or more"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments: Any, said: str) -> None:
    with pytest.raises(TrimtabError, match=said):
        behaviour_test("odd", **arguments)


def test_a_users_module_registers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "trimtab_behaviour_of_test"
    monkeypatch.setattr(registry, "USER_MODULE", module)
    monkeypatch.setattr(registry, "_REGISTRY", {})
    monkeypatch.syspath_prepend(tmp_path)
    assert registry.names() == ()
    with pytest.raises(TrimtabError, match="there is no behaviour test 'same'"):
        registry.get("same")
    (tmp_path / f"{module}.py").write_text(
        "from trimtab.evaluation.registry import behaviour_test\n"
        "@behaviour_test('same', kind='invariance')\ndef same(rows):\n    return rows\n"
    )
    importlib.invalidate_caches()
    assert registry.names() == ("same",)
    with pytest.raises(TrimtabError, match=f"'same' is registered by {module} already"):
        behaviour_test("same", kind="invariance")(lambda rows: rows)


def test_a_users_module_that_breaks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "USER_MODULE", "trimtab_behaviour_that_breaks")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "trimtab_behaviour_that_breaks.py").write_text("1 / 0\n")
    importlib.invalidate_caches()
    with pytest.raises(TrimtabError, match="cannot be imported: ZeroDivisionError"):
        registry.names()

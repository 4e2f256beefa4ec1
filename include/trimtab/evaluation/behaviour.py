"""What a user's behaviour tests find: cases that a model must answer in a certain way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trimtab.config.model import Task
from trimtab.errors import TrimtabError
from trimtab.evaluation import registry, words
from trimtab.evaluation.case import Ask, Case, Model
from trimtab.evaluation.registry import BehaviourTest
from trimtab.evaluation.weighted import THRESHOLD
from trimtab.ledger.chain import digest
from trimtab.types import Behaved, Rule

PREFIX = "behaviour_"
ROWS = 1000  # hold-out rows a test is given at most


@dataclass(frozen=True)
class _Answered:
    """Which cases went wrong, and what the model said, in words."""

    wrong: np.ndarray
    said: Sequence[str]


def ask(case: Case, model: Model, judge: Ask) -> list[Behaved]:
    """Let every behaviour test that the model file names be judged; return what they found."""
    records: list[Behaved] = []

    def behaved(name: str) -> Rule:
        test = registry.get(name)
        found = run(test, model, rows(case), case.task)
        records.append(found)
        return rule(test, found)

    for name in case.gate.behaviour:
        judge(f"{PREFIX}{name}", lambda name=name: behaved(name))  # type: ignore[misc]
    return records


def rows(case: Case) -> pd.DataFrame:
    """The rows a test is given: features of some of the hold-out's, in their order."""
    random = np.random.default_rng(int(digest([case.seed, "behaviour"])[:16], 16))
    chosen = np.sort(random.permutation(len(case.holdout))[:ROWS])
    return case.holdout.columns(case.challenger.features).iloc[chosen].reset_index(drop=True)


def run(test: BehaviourTest, model: Model, rows: pd.DataFrame, task: Task) -> Behaved:
    """Let a test make its cases of some rows and ask the model.

    Raises:
        TrimtabError: the test returned something that is no cases; names it.
    """
    found = (
        _minimum(test, model, rows, task) if test.kind == "minimum" else _moved(test, model, rows)
    )
    cases, failures = len(found.wrong), int(found.wrong.sum())
    detail = ""
    if failures:
        first = int(np.flatnonzero(found.wrong)[0])
        detail = f"for example, case {first + 1}: {found.said[first]}"
    return Behaved(
        name=test.name,
        kind=test.kind,
        cases=cases,
        failures=failures,
        detail=detail,
        passed=cases > 0 and failures <= test.allowed * cases,
    )


def rule(test: BehaviourTest, found: Behaved) -> Rule:
    """Refuse a model that does not behave."""
    fact = f"{found.failures:,} of {found.cases:,} cases of {test.name} ({test.kind}) failed"
    reason = f"{fact}; at most {words.percent(test.allowed)} may."
    if not found.cases:
        reason = f"{test.name} found no case among the rows, so it says nothing."
    elif found.detail and not found.passed:
        reason += f" {found.detail[0].upper()}{found.detail[1:]}."
    return Rule(
        name=f"{PREFIX}{test.name}",
        passed=found.passed,
        value=found.failures,
        limit=float(int(test.allowed * found.cases)),
        reason=reason,
        about="behaviour",
    )


def _moved(test: BehaviourTest, model: Model, rows: pd.DataFrame) -> _Answered:
    """Compare the predictions of changed rows with those of the same rows before."""
    changed = test.cases(rows.copy())
    _is_of(test, changed, rows)
    if not len(changed):
        return _Answered(np.zeros(0, dtype=bool), ())
    before, after = _predicted(model, rows.loc[changed.index]), _predicted(model, changed)
    if test.kind == "direction":
        before, after = (_of_label(test, model, each) for each in (before, after))
        step = (after - before) * (1 if test.expect == "up" else -1)
        wrong = ~(step >= -test.tolerance)  # what is not a number is wrong, too
        said = [
            f"{words.number(b)} became {words.number(a)}"
            for b, a in zip(before, after, strict=True)
        ]
        return _Answered(wrong, said)
    apart = np.abs(after - before).reshape(len(changed), -1)
    worst = apart.max(axis=1)
    said = [f"the prediction moved by {words.number(float(each))}" for each in worst]
    return _Answered(~(worst <= test.tolerance), said)


def _is_of(test: BehaviourTest, changed: Any, rows: pd.DataFrame) -> None:
    if not isinstance(changed, pd.DataFrame):
        kind = type(changed).__name__
        raise TrimtabError(f"behaviour test {test.name} returned {kind}, not a pandas frame")
    if not changed.index.is_unique or not changed.index.isin(rows.index).all():
        raise TrimtabError(
            f"behaviour test {test.name} returned rows under another index; keep that of the rows "
            "it was given, so that each is compared with itself"
        )


def _of_label(test: BehaviourTest, model: Model, prediction: np.ndarray) -> np.ndarray:
    """The number that is expected to move: of several classes the probability of one."""
    if prediction.ndim == 1:
        return prediction
    classes = list(model.classes or ())
    if test.label not in classes:
        raise TrimtabError(
            f"behaviour test {test.name}: of several classes one must move; say label=, one of "
            f"{classes}"
        )
    column: np.ndarray = prediction[:, classes.index(test.label)]
    return column


def _minimum(test: BehaviourTest, model: Model, rows: pd.DataFrame, task: Task) -> _Answered:
    """Compare the answers of plain cases with what is expected of them."""
    made = test.cases(rows.copy())
    if not (isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], pd.DataFrame)):
        raise TrimtabError(
            f"behaviour test {test.name} must return a pandas frame of cases and what is expected "
            "of each"
        )
    cases, expected = made[0], list(made[1])
    if len(cases) != len(expected):
        raise TrimtabError(
            f"behaviour test {test.name} returned {len(cases)} cases and {len(expected)} "
            "expectations"
        )
    if not expected:
        return _Answered(np.zeros(0, dtype=bool), ())
    answers = _predicted(model, cases)
    if task == "regression":
        return _within(answers, _bounds(test, expected))
    labels: Sequence[Any] = (answers >= THRESHOLD).astype(int).tolist()
    if answers.ndim == 2:
        labels = np.asarray(list(model.classes or ()))[answers.argmax(axis=1)].tolist()
    else:
        expected = [int(each) for each in expected]
    wrong = [said != wanted for said, wanted in zip(labels, expected, strict=True)]
    told = [
        f"{wanted} was expected, {said} came" for said, wanted in zip(labels, expected, strict=True)
    ]
    return _Answered(np.asarray(wrong), told)


def _bounds(test: BehaviourTest, expected: Sequence[Any]) -> np.ndarray:
    try:
        bounds = np.asarray(expected, dtype=float)
    except (TypeError, ValueError):
        bounds = np.zeros(0)
    if bounds.shape != (len(expected), 2):
        raise TrimtabError(
            f"behaviour test {test.name}: of a number the lowest and the highest value are "
            "expected, such as (0, 30)"
        )
    return bounds


def _within(answers: np.ndarray, bounds: np.ndarray) -> _Answered:
    low, high = bounds.T
    told = [
        f"{words.between(a, b)} was expected, {words.number(said)} came"
        for a, b, said in zip(low, high, answers, strict=True)
    ]
    return _Answered(~((answers >= low) & (answers <= high)), told)


def _predicted(model: Model, frame: pd.DataFrame) -> np.ndarray:
    return np.asarray(model.predict(frame), dtype=float)

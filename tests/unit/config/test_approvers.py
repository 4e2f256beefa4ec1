"""Who may answer, as two files say together; and questions that nobody could answer."""

import pytest

from trimtab.config.approvers import approvers, check_approve
from trimtab.config.model import Approve

GROUPS = {"risk": ("ana", "ben"), "it": ("ben", "dora"), "nobody_yet": ()}


@pytest.mark.parametrize(
    ("approve", "people"),
    [
        ({"mode": "manual"}, None),
        ({"mode": "four_eyes"}, ()),
        ({"mode": "manual", "users": ["eve", "ana"]}, ("eve", "ana")),
        ({"mode": "manual", "users": ["ben"], "groups": ["risk", "it"]}, ("ben", "ana", "dora")),
        ({"mode": "manual", "groups": ["gone"]}, ()),
    ],
)
def test_everybody_counts_once(approve: dict[str, object], people: object) -> None:
    assert approvers(Approve.model_validate(approve), GROUPS) == people


@pytest.mark.parametrize(
    ("approve", "where", "says"),
    [
        ({"mode": "manual", "groups": ["rsk"]}, "groups.0", "no group 'rsk'"),
        ({"mode": "manual", "groups": ["nobody_yet"]}, "users", "at least 1 listed"),
        ({"mode": "four_eyes"}, "users", "at least 2 listed people, there is nobody"),
        ({"mode": "four_eyes", "users": ["ana", "ana"]}, "users", "there is ana"),
        ({"mode": "manual", "users": ["auto"]}, "users.0", "'auto' is no person's name"),
        ({"mode": "manual", "timeout": "0s"}, "timeout", "in no time"),
    ],
)
def test_a_question_nobody_could_answer_is_found(
    approve: dict[str, object], where: str, says: str
) -> None:
    ((path, problem, fix),) = check_approve(Approve.model_validate(approve), GROUPS)
    assert ".".join(map(str, path)) == f"approve.{where}"
    assert says in problem
    assert fix


@pytest.mark.parametrize(
    "approve",
    [{"mode": "auto"}, {"mode": "manual"}, {"mode": "four_eyes", "groups": ["risk"]}],
)
def test_what_can_be_answered_is_no_problem(approve: dict[str, object]) -> None:
    assert list(check_approve(Approve.model_validate(approve), GROUPS)) == []

"""Who may let a version pass: the model file, a listed person, nobody else."""

from typing import Any

import pytest

from trimtab.errors import GateRefusedError, LedgerConflictError, NotAllowedError, NotReadyError
from trimtab.stages.approve import approve

MANUAL = "{mode: manual, users: [ana, ben]}"


def test_auto_approves_what_the_gate_lets_pass(world: Any) -> None:
    world.judged(1)
    answer = approve(world.env, "buys", 1)
    assert (answer.approved, answer.actor) == (True, "auto")
    assert approve(world.env, "buys", 1) == answer
    assert len(world.env.ledger.events("approval", "buys")) == 1


def test_auto_refuses_what_the_gate_refuses(world: Any) -> None:
    world.judged(1, answer="constant")
    with pytest.raises(GateRefusedError, match="the gate says REJECT"):
        approve(world.env, "buys", 1)
    assert world.env.ledger.events("approval", "buys") == []


def test_nothing_is_approved_unjudged(world: Any) -> None:
    world.train(1)
    with pytest.raises(GateRefusedError, match="has not been judged"):
        approve(world.env, "buys", 1)


def test_manual_waits_for_a_person(new_world: Any) -> None:
    world = new_world(approving=MANUAL)
    world.judged(1)
    with pytest.raises(NotReadyError, match="ana, ben"):
        approve(world.env, "buys", 1)
    approve(world.env, "buys", 1, approved=True, actor="ana", reason="looks right")
    assert approve(world.env, "buys", 1).actor == "ana"


@pytest.mark.parametrize("actor", ["carl", "auto", ""])
def test_only_listed_people_answer_and_the_attempt_is_kept(new_world: Any, actor: str) -> None:
    world = new_world(approving=MANUAL)
    world.judged(1)
    with pytest.raises(NotAllowedError, match="ana, ben may"):
        approve(world.env, "buys", 1, approved=True, actor=actor)
    assert world.env.ledger.events("approval", "buys") == []
    (attempt,) = world.env.ledger.events("approval_refused", "buys")
    told = {"model": "buys", "version": 1, "approved": True, "actor": actor}
    assert attempt.payload == {**told, "why": "is not listed (approve.users, approve.groups)"}


def test_the_first_answer_stands(new_world: Any) -> None:
    world = new_world(approving=MANUAL)
    world.judged(1)
    first = approve(world.env, "buys", 1, approved=False, actor="ana", reason="too risky")
    assert approve(world.env, "buys", 1, approved=False, actor="ben") == first
    with pytest.raises(LedgerConflictError, match="ana has refused"):
        approve(world.env, "buys", 1, approved=True, actor="ben")


def test_a_person_cannot_overrule_the_gate(new_world: Any) -> None:
    world = new_world(approving=MANUAL)
    world.judged(1, answer="nan")
    with pytest.raises(GateRefusedError):
        approve(world.env, "buys", 1, approved=True, actor="ana")

"""Becoming champion: only judged against this champion, approved, and by compare-and-swap."""

from datetime import UTC, datetime
from typing import Any

import pytest

from trimtab.errors import GateRefusedError, NotReadyError
from trimtab.ledger import champion, versions
from trimtab.stages.approve import approve
from trimtab.stages.block import unblock
from trimtab.stages.evaluate import evaluate
from trimtab.stages.promote import promote
from trimtab.stages.rollback import rollback


def test_promotion_is_recorded_once_and_writes_the_card(world: Any) -> None:
    now = world.champion(1)
    assert (now.version, now.generation, now.previous) == (1, 1, None)
    assert now.since is not None
    assert promote(world.env, "buys", 1) == now
    assert len(champion.history(world.env.ledger, "buys")) == 1
    folder = world.env.reports / "models/buys/v1"
    assert "trimtab rollback buys" in (folder / "card.md").read_text()
    assert "Approved by auto" in (folder / "card.html").read_text()


def test_unapproved_and_unjudged_versions_are_refused(world: Any) -> None:
    world.train(1)
    with pytest.raises(GateRefusedError, match="not been judged"):
        promote(world.env, "buys", 1)
    evaluate(world.env, "buys", 1)
    with pytest.raises(GateRefusedError, match="not approved yet"):
        promote(world.env, "buys", 1)
    assert champion.current(world.env.ledger, "buys") is None


def test_a_refusal_by_a_person_is_final(new_world: Any) -> None:
    world = new_world(approving="{mode: manual, users: [ana]}")
    world.judged(1)
    approve(world.env, "buys", 1, approved=False, actor="ana", reason="not before the holidays")
    with pytest.raises(GateRefusedError, match="not before the holidays"):
        promote(world.env, "buys", 1)


def test_a_verdict_against_an_older_champion_does_not_count(world: Any) -> None:
    world.champion(1)
    world.judged(2, noise=0.02, seed=1)
    approve(world.env, "buys", 2)
    world.champion(3)
    with pytest.raises(GateRefusedError, match="evaluate it again"):
        promote(world.env, "buys", 2)
    assert champion.current(world.env.ledger, "buys").version == 3


def test_a_late_retry_of_a_promotion_changes_nothing(world: Any) -> None:
    first = world.champion(1)
    world.champion(2)
    assert promote(world.env, "buys", 1) == first
    assert champion.current(world.env.ledger, "buys").version == 2


def test_a_version_rolled_back_does_not_come_back_by_any_verdict(world: Any) -> None:
    world.champion(1)
    world.champion(2)
    rollback(world.env, "buys", reason="complaints", actor="ana")
    entry = world.env.ledger.latest("blocked", "buys").seq
    for judged_again in (False, True):
        if judged_again:
            assert evaluate(world.env, "buys", 2).verdict == "PROMOTE"
        with pytest.raises(GateRefusedError, match=rf"entry {entry}\): complaints"):
            promote(world.env, "buys", 2)
    assert champion.current(world.env.ledger, "buys").version == 1
    assert not versions.is_open(world.env.ledger, "buys", 2)


def test_unblocked_it_still_has_to_be_judged_against_the_present_champion(world: Any) -> None:
    world.champion(1)
    world.champion(2)
    rollback(world.env, "buys", reason="complaints", actor="ana")
    unblock(world.env, "buys", 2, reason="it was the data", actor="ben")
    with pytest.raises(GateRefusedError, match="evaluate it again"):
        promote(world.env, "buys", 2)
    assert evaluate(world.env, "buys", 2).champion == 1
    assert promote(world.env, "buys", 2).generation == 4


FREEZE = "freeze: [{from: 2025-12-20T00:00Z, until: 2026-01-02T00:00Z, reason: holidays}]"
LOCAL = "environments/local.yaml"


@pytest.mark.parametrize("where", ["model", "environment"])
def test_nobody_becomes_champion_in_a_freeze(new_world: Any, clock: Any, where: str) -> None:
    model = {"approve: auto\n": f"approve: auto\n{FREEZE}\n"} if where == "model" else None
    world = new_world(model, {LOCAL: f"environment: local\n{FREEZE if not model else ''}\n"})
    world.judged(1)
    approve(world.env, "buys", 1)
    with pytest.raises(NotReadyError, match=r"until 2026-01-02T00:00\+00:00: holidays"):
        promote(world.env, "buys", 1)
    assert champion.current(world.env.ledger, "buys") is None
    clock.time = datetime(2026, 1, 2, tzinfo=UTC)
    assert promote(world.env, "buys", 1).version == 1
    clock.time = datetime(2026, 1, 1, tzinfo=UTC)
    assert promote(world.env, "buys", 1).version == 1, "what is done is no change"

"""The way back: to the last version that was let pass and is not blocked, never just n - 1."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trimtab.errors import GateRefusedError, IntegrityError, NotAllowedError, NotReadyError
from trimtab.ledger import blocks, champion
from trimtab.stages.approve import approve
from trimtab.stages.block import block, unblock
from trimtab.stages.rollback import rollback


def back(world: Any, to: int | None = None, reason: str = "complaints", **more: Any) -> int:
    version: int = rollback(world.env, "buys", to=to, reason=reason, actor="ana", **more).version
    return version


def serving(world: Any) -> int:
    version: int = champion.current(world.env.ledger, "buys").version
    return version


def test_default_goes_to_the_champion_before_not_to_the_number_before(world: Any) -> None:
    world.champion(1)
    world.judged(2, answer="constant")
    world.champion(3)
    assert back(world) == 1
    assert champion.current(world.env.ledger, "buys").action == "rollback"


def test_a_champion_that_nobody_approved_is_passed_over(world: Any) -> None:
    """One generation back would be version 2, which came by a hole in the fence."""
    first = world.champion(1)
    world.train(2)
    slipped = {"action": "promote", "actor": "?", "reason": "by hand"}
    second = champion.swap(world.env.ledger, "buys", 2, expected=first, **slipped)
    champion.swap(world.env.ledger, "buys", 1, expected=second, **slipped)
    assert [c.version for c in champion.history(world.env.ledger, "buys")] == [1, 2, 1]
    with pytest.raises(GateRefusedError, match="blocked or never approved: 2"):
        back(world)


def test_a_retry_does_not_go_further_back(world: Any) -> None:
    for version in (1, 2, 3):
        world.champion(version)
    assert back(world) == 2
    assert back(world) == 2
    assert len(champion.history(world.env.ledger, "buys")) == 4


def test_the_retry_of_a_run_changes_nothing_even_when_others_were_promoted_since(
    world: Any,
) -> None:
    for version in (1, 2):
        world.champion(version)
    assert back(world, request="run 7") == 1
    world.champion(3)
    assert back(world, request="run 7") == 1, "what it did, not what serves"
    assert serving(world) == 3
    assert back(world, request="run 8") == 1
    assert serving(world) == 1


def test_a_second_rollback_passes_over_the_version_left_behind(world: Any) -> None:
    for version in (1, 2, 3):
        world.champion(version)
    assert back(world) == 2
    assert back(world, reason="still complaints") == 1


def test_what_was_left_is_blocked_in_the_same_transaction(world: Any) -> None:
    for version in (1, 2):
        world.champion(version)
    back(world)
    ledger = world.env.ledger
    (mark,) = ledger.events("blocked", "buys")
    assert mark.payload["version"] == 2
    assert mark.seq == ledger.latest("champion", "buys").seq + 1
    with pytest.raises(GateRefusedError, match=r"blocked by ana .*complaints .*trimtab unblock"):
        back(world, to=2)
    unblock(world.env, "buys", 2, reason="it was the weather", actor="ben")
    assert back(world, to=2, reason="give it back") == 2


def test_a_blocked_version_is_passed_over_until_somebody_lets_it_go(world: Any) -> None:
    for version in (1, 2, 3):
        world.champion(version)
    block(world.env, "buys", 2, reason="it leaks", actor="ben")
    block(world.env, "buys", 2, reason="it leaks", actor="ben")
    assert len(world.env.ledger.events("blocked", "buys")) == 1
    assert back(world) == 1
    unblock(world.env, "buys", 2, reason="it does not", actor="ben")
    unblock(world.env, "buys", 2, reason="it does not", actor="ben")
    assert set(blocks.standing(world.env.ledger, "buys")) == {3}
    block(world.env, "buys", 2, reason="it does", actor="ben")
    assert set(blocks.standing(world.env.ledger, "buys")) == {2, 3}


def test_only_who_may_approve_lets_a_version_go(new_world: Any) -> None:
    world = new_world(approving="{mode: auto, users: [ben]}")
    for version in (1, 2):
        world.champion(version)
    back(world)
    with pytest.raises(NotAllowedError, match="ana may not unblock buys version 2; ben may"):
        unblock(world.env, "buys", 2, reason="fine", actor="ana")
    (kept,) = world.env.ledger.events("unblock_refused", "buys")
    assert (kept.actor, kept.payload["version"]) == ("ana", 2)
    unblock(world.env, "buys", 2, reason="fine", actor="ben")
    assert not blocks.standing(world.env.ledger, "buys")


def test_what_serves_is_not_blocked_and_what_is_not_blocked_is_not_let_go(world: Any) -> None:
    world.champion(1)
    with pytest.raises(GateRefusedError, match="roll back"):
        block(world.env, "buys", 1, reason="bad", actor="ben")
    with pytest.raises(GateRefusedError, match="not blocked; blocked are: none"):
        unblock(world.env, "buys", 1, reason="fine", actor="ben")
    with pytest.raises(GateRefusedError, match="say why"):
        block(world.env, "buys", 1, reason=" ", actor="ben")
    with pytest.raises(NotReadyError, match="trained versions: 1"):
        block(world.env, "buys", 9, reason="bad", actor="ben")


def test_a_moment_names_the_version_that_served_then(world: Any, clock: Any) -> None:
    began = clock.time
    for version in (1, 2, 3):
        world.champion(version)
        clock.time += timedelta(days=1)
    assert back(world, at=began + timedelta(hours=5)) == 1
    with pytest.raises(GateRefusedError, match="no champion yet at"):
        back(world, at=began - timedelta(days=1), reason="other")
    with pytest.raises(GateRefusedError, match="no time zone"):
        back(world, at=datetime(2026, 1, 1), reason="other")  # noqa: DTZ001 that is the point
    with pytest.raises(GateRefusedError, match="not both"):
        back(world, 1, at=began, reason="other")


def test_an_approved_version_that_never_served_can_be_named(world: Any) -> None:
    world.champion(1)
    world.judged(2)
    approve(world.env, "buys", 2)
    assert back(world, to=2) == 2


def test_what_was_never_fit_is_refused_with_the_choices(world: Any) -> None:
    for version in (1, 2):
        world.champion(version)
    world.judged(3, answer="constant")
    for version, why in {3: "approved", 9: "trained"}.items():
        with pytest.raises(GateRefusedError, match=f"was never {why}; choose one of 1"):
            back(world, to=version)
    with pytest.raises(GateRefusedError, match="it serves now"):
        back(world, to=2)


def test_a_reason_and_a_champion_are_needed(world: Any) -> None:
    with pytest.raises(GateRefusedError, match="no champion yet"):
        back(world)
    world.champion(1)
    with pytest.raises(GateRefusedError, match="needs a reason"):
        back(world, reason="  ")
    with pytest.raises(GateRefusedError, match="only champion there ever was"):
        back(world)


def test_a_version_whose_files_changed_does_not_serve(world: Any) -> None:
    world.champion(1)
    world.champion(2)
    world.models[1, "model"] = IntegrityError("model.skops has another hash")
    with pytest.raises(IntegrityError):
        back(world)
    assert serving(world) == 2
    assert world.env.ledger.events("blocked", "buys") == []


def test_in_a_freeze_only_by_an_override_that_is_kept(new_world: Any, clock: Any) -> None:
    freeze = "freeze: [{from: 2026-02-01T00:00Z, until: 2026-02-03T00:00Z, reason: year end}]\n"
    world = new_world({"approve: auto\n": f"approve: auto\n{freeze}"})
    for version in (1, 2):
        world.champion(version)
    clock.time = datetime(2026, 2, 2, tzinfo=UTC)
    with pytest.raises(GateRefusedError, match=r"year end.*--override-freeze"):
        back(world)
    assert serving(world) == 2
    assert back(world, override_freeze=True) == 1
    kept = world.env.ledger.latest("champion", "buys").payload["overrode"]
    assert kept == "frozen from 2026-02-01T00:00+00:00 until 2026-02-03T00:00+00:00: year end"
    assert back(world) == 1, "what is done is no change"

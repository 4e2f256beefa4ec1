"""The way back: to a version that served before, with a reason, and no further by a retry."""

from typing import Any

import pytest

from trimtab.errors import GateRefusedError, IntegrityError
from trimtab.ledger import champion
from trimtab.stages.approve import approve
from trimtab.stages.rollback import rollback


def back(world: Any, to: int | None = None, reason: str = "complaints") -> int:
    return rollback(world.env, "buys", to=to, reason=reason, actor="ana").version


def test_default_goes_to_the_champion_before_not_to_the_number_before(world: Any) -> None:
    world.champion(1)
    world.judged(2, answer="constant")
    world.champion(3)
    assert back(world) == 1
    assert champion.current(world.env.ledger, "buys").action == "rollback"


def test_a_retry_does_not_go_further_back(world: Any) -> None:
    for version in (1, 2, 3):
        world.champion(version)
    assert back(world) == 2
    assert back(world) == 2
    assert len(champion.history(world.env.ledger, "buys")) == 4


def test_a_second_rollback_passes_over_the_version_left_behind(world: Any) -> None:
    for version in (1, 2, 3):
        world.champion(version)
    assert back(world) == 2
    assert back(world, reason="still complaints") == 1


def test_an_approved_version_that_never_served_can_be_named(world: Any) -> None:
    world.champion(1)
    world.judged(2)
    approve(world.env, "buys", 2)
    assert back(world, to=2) == 2


def test_what_was_never_fit_is_refused_with_the_choices(world: Any) -> None:
    for version in (1, 2):
        world.champion(version)
    world.judged(3, answer="constant")
    for version in (3, 9):
        with pytest.raises(GateRefusedError, match="never champion nor approved; choose one of 1"):
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
    assert champion.current(world.env.ledger, "buys").version == 2

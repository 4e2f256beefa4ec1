"""Which version served when, and what was decided about a model, as the ledger tells it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trimtab.errors import ConfigError, DataError
from trimtab.ledger import champion
from trimtab.stages.approve import approve
from trimtab.stages.configured import note_dataset, note_model
from trimtab.stages.history import history, moment, served
from trimtab.stages.promote import promote
from trimtab.stages.rollback import rollback

HOUR = timedelta(hours=1)


@pytest.fixture
def told(new_world: Any, clock: Any) -> Any:
    """Version 1 from 10:00 on, version 2 from 11:00, version 1 again from 12:00; it is 13:00."""
    world = new_world(approving="{mode: manual, users: [ana]}")
    for version in (1, 2):
        clock.time = datetime(2026, 3, 3, 9 + version, tzinfo=UTC)
        world.judged(version)
        approve(world.env, "buys", version, approved=True, actor="ana", reason=f"fine {version}")
        promote(world.env, "buys", version)
    clock.time += HOUR
    rollback(world.env, "buys", to=1, reason="complaints", actor="bob")
    clock.time += HOUR
    return world.env


def test_what_served_at_a_moment_with_its_evidence(told: Any) -> None:
    answer = served(told, "buys", moment("2026-03-03T11:30Z"))
    assert (answer.version, answer.generation, answer.action) == (2, 2, "promote")
    assert answer.since == moment("2026-03-03T11:00Z")
    assert answer.until == moment("2026-03-03T12:00Z")
    assert answer.actor == "ana"
    approval, gate, training = answer.evidence
    assert (approval.name, approval.facts["by"]) == ("approved", "ana")
    assert approval.facts["reason"] == "fine 2"
    assert (gate.name, gate.facts["against"]) == ("PROMOTE", "version 1")
    assert training.facts["data"] == {"visits": 2}
    entries = [part.facts["entry"] for part in (training, gate, approval)]
    assert entries == sorted(entries)
    assert max(entries) < answer.entry  # type: ignore[operator]


def test_a_change_holds_from_its_moment_on(told: Any) -> None:
    for at, version, since in (
        ("2026-03-03T10:59:59.9Z", 1, "10:00"),
        ("2026-03-03T13:00:00+02:00", 2, "11:00"),
        ("2026-03-03T12:00Z", 1, "12:00"),
        ("2026-03-03T13:00Z", 1, "12:00"),
    ):
        answer = served(told, "buys", moment(at))
        assert (answer.version, answer.since) == (version, moment(f"2026-03-03T{since}Z"))
    assert (answer.action, answer.actor, answer.reason) == ("rollback", "bob", "complaints")
    assert (answer.generation, answer.until) == (3, None)
    before = served(told, "buys", moment("2026-03-03T09:59Z"))
    assert (before.version, before.until) == (None, moment("2026-03-03T10:00Z"))
    with pytest.raises(DataError, match="has not come yet"):
        served(told, "buys", told.clock.now() + HOUR)


def test_by_the_time_of_the_data(world: Any, make_rows: Any) -> None:
    before = None
    for version, since in ((1, "2013-01-31T00:00Z"), (2, "2013-02-28T00:00Z")):
        world.train(version, data=make_rows(100))
        before = champion.swap(
            world.env.ledger,
            "buys",
            version,
            expected=before,
            action="promote",
            actor="ana",
            reason="better",
            since=moment(since),
        )
    answer = served(world.env, "buys", moment("2013-02-10T00:00Z"), data_time=True)
    assert (answer.version, answer.until) == (1, moment("2013-02-28T00:00Z"))
    assert served(world.env, "buys", moment("2013-02-10T00:00Z")).version is None
    assert served(world.env, "buys", moment("2013-01-01T00:00Z"), data_time=True).version is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("yesterday", "2026-03-03T12:00Z"),
        ("2026-03-03T12:00", "names no zone"),
        ("2026-03-03", "names no zone"),
    ],
)
def test_a_moment_has_to_be_one(text: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        moment(text)


def test_strangers_are_refused(world: Any) -> None:
    with pytest.raises(ConfigError, match="no model 'nobody'"):
        served(world.env, "nobody", world.env.clock.now())
    with pytest.raises(ConfigError, match="no model 'nobody'"):
        history(world.env, "nobody")


def test_the_history_tells_every_decision_in_order(told: Any) -> None:
    entries = history(told, "buys")
    words = [entry.what for entry in entries]
    assert words == [
        "trained: boosted_trees",
        "configuration first seen",
        "gate: PROMOTE",
        "approved",
        "promote: champion, generation 1",
        "trained: boosted_trees",
        "gate: PROMOTE",
        "approved",
        "promote: champion, generation 2",
        "rollback: champion, generation 3",
        "blocked",
    ]
    assert [entry.seq for entry in entries] == sorted(entry.seq for entry in entries)
    assert (entries[-1].actor, entries[-1].reason) == ("bob", "complaints")
    assert entries[-1].origin == told.ledger.origin
    kinds = {entry.kind for entry in history(told, "buys", everything=True)}
    assert "version_number" in kinds


def test_a_changed_file_is_recorded_with_what_changed(new_world: Any) -> None:
    env = new_world().env
    note_model(env, "buys")
    note_model(env, "buys")
    assert len(env.ledger.events("config_change", "buys")) == 1
    for low in ("0.61", "0.6"):  # there and back: two changes
        changed = new_world(**{"min: 0.6": f"min: {low}"})
        note_model(changed.env, "buys")
    events = env.ledger.events("config_change", "buys")
    assert [event.payload["changed"] for event in events] == [
        {},
        {"gate.min": [0.6, 0.61]},
        {"gate.min": [0.61, 0.6]},
    ]
    assert events[1].payload["before"] == events[0].payload["sha256"]
    assert env.ledger.events("contract_change", "visits")[0].payload["config"]["owner"] == "shop"
    note_dataset(env, "visits")
    assert len(env.ledger.events("contract_change")) == 1


def test_addresses_with_passwords_stay_out_of_the_ledger(new_world: Any) -> None:
    place = (
        "environment: local\nproduction: true\ntracking: http://me:hunter2@mlflow\n"
        "notify: {webhook: https://hooks/secret-token}\n"
    )
    env = new_world(place={"environments/local.yaml": place}).env
    note_model(env, "buys")
    (event,) = env.ledger.events("config_change", "environment:local")
    assert event.payload["config"]["production"] is True
    text = str(event.payload)
    assert "hunter2" not in text
    assert "secret-token" not in text

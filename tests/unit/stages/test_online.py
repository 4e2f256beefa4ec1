"""The newest features of an entity online, and that they are what the table would say."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from trimtab.adapters.online import open_online
from trimtab.clock import FixedClock
from trimtab.environment import Environment
from trimtab.errors import ConfigError, DataError, NotReadyError
from trimtab.features import sources
from trimtab.stages import online
from trimtab.stages.materialize import materialize
from trimtab.stages.online import get, get_offline
from trimtab.stages.revert import revert
from trimtab.types import FeatureAnswer
from unit.histories import FILES, KEYS, disagreements, hours, rows

A = KEYS[0]


@pytest.fixture
def env(open_env: Any, clock: FixedClock) -> Environment:
    clock.time = hours(1000)
    opened: Environment = open_env(FILES)
    return opened


def heat(env: Environment, at: datetime, view: str = "sensor") -> Any:
    found = get(env, view, [A], at=at)[0].values
    return found["heat"] if found else None


def test_what_comes_back_equals_what_went_in(env: Environment, publish: Any) -> None:
    odd = {
        "big": 9_223_372_036_854_775_807,
        "heat": 0.1 + 0.2,
        "good": False,
        "note": 'ü"\n|{}',
        "since": datetime(1969, 7, 20, 20, 17, 40, 123456, tzinfo=UTC),
    }
    nothing = dict.fromkeys(odd)
    publish(env, "readings", rows({"at": hours(0), **odd}, {"at": hours(0), **nothing, "line": 2}))
    made = materialize(env, "sensor")
    assert (made.rows, made.version, made.incremental) == (2, 0, False)
    whole, empty = get(env, "sensor", KEYS[:2], at=hours(1))
    assert whole.values == {**odd, "twice": 2 * (0.1 + 0.2)}
    assert type(whole.values["good"]) is bool
    assert whole.values["since"].utcoffset() is not None
    assert (whole.time, whole.known, whole.version) == (hours(0), hours(0), 0)
    assert empty.values == {**nothing, "twice": None}


@pytest.mark.parametrize("seed", range(2))
def test_online_is_what_the_table_would_say(
    env: Environment, publish: Any, clock: FixedClock, seed: int
) -> None:
    assert disagreements(env, publish, clock, seed) == 0


def test_the_last_row_by_position_is_not(env: Environment, publish: Any, clock: FixedClock) -> None:
    """The control: what a naive store would keep."""
    assert disagreements(env, publish, clock, 0, answer=_last_by_position) > 0


def _last_by_position(
    env: Environment, view: str, keys: Any, *, at: datetime
) -> list[FeatureAnswer]:
    table = sources.published(env, "readings").table.collect()
    last = table.unique(["sensor", "line"], keep="last", maintain_order=True).to_dicts()
    heats = {(row["sensor"], row["line"]): row["heat"] for row in last}
    truth = get_offline(env, view, keys, at=at)
    return [
        one.model_copy(
            update={"values": {**one.values, "heat": heats.get(tuple(one.key.values()))}}
        )
        if one.values
        else one
        for one in truth
    ]


def test_a_late_correction_wins_when_it_is_known_and_not_before(
    env: Environment, publish: Any
) -> None:
    publish(env, "readings", rows({"at": hours(10), "heat": 1.0}))
    materialize(env, "sensor")
    correction = rows({"at": hours(10), "told": hours(15), "heat": 2.0}, first=10)
    publish(env, "readings", correction, "two.csv")
    assert materialize(env, "sensor").incremental
    assert heat(env, hours(14)) == 1.0
    assert heat(env, hours(15)) == 2.0


def test_a_backfill_of_older_rows_does_not_win(env: Environment, publish: Any) -> None:
    publish(env, "readings", rows({"at": hours(10), "heat": 1.0}))
    materialize(env, "sensor")
    publish(env, "readings", rows({"at": hours(5), "heat": 2.0}, first=10), "old.csv")
    materialize(env, "sensor")
    assert heat(env, hours(11)) == 1.0


def test_a_row_in_the_future_waits_until_it_has_happened(
    env: Environment, publish: Any, clock: FixedClock
) -> None:
    clock.time = hours(11)
    told = rows({"at": hours(10), "heat": 1.0}, {"at": hours(20), "told": hours(9), "heat": 2.0})
    publish(env, "readings", told)
    assert materialize(env, "sensor").since == hours(11)
    assert (heat(env, hours(11)), heat(env, hours(20))) == (1.0, 2.0)


def test_an_old_row_counts_as_missing(env: Environment, publish: Any) -> None:
    publish(env, "readings", rows({"at": hours(0)}))
    materialize(env, "sensor")
    assert heat(env, hours(48)) == 1.0
    gone = get(env, "sensor", [A], at=hours(48.1))[0]
    assert gone.values is None
    assert "not older than 2d" in gone.reason


def test_twice_is_once(env: Environment, publish: Any) -> None:
    publish(env, "readings", rows({"at": hours(0)}))
    assert materialize(env, "sensor") == materialize(env, "sensor")
    assert len(env.ledger.events("materialization", "sensor")) == 1


def test_an_older_version_changes_nothing(env: Environment, publish: Any) -> None:
    first = publish(env, "readings", rows({"at": hours(0), "heat": 1.0})).version
    publish(env, "readings", rows({"at": hours(1), "heat": 2.0}, first=1), "two.csv")
    newest = materialize(env, "sensor")
    assert materialize(env, "sensor", version=first) == newest
    assert heat(env, hours(2)) == 2.0


def test_killed_anywhere_and_run_again(
    env: Environment, publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call to the store dies once, before it and after it."""
    from trimtab.adapters.online_sql import SqlStore

    publish(env, "readings", rows({"at": hours(0), "heat": 1.0}))
    materialize(env, "sensor")
    publish(env, "readings", rows({"at": hours(1), "heat": 2.0}, first=1), "two.csv")

    class KilledError(BaseException):
        pass

    for name in ("begin", "put", "finish", "drop"):
        real = getattr(SqlStore, name)
        for late in (False, True):

            def dies(*args: Any, late: bool = late, real: Any = real, **kwargs: Any) -> None:
                if late:
                    real(*args, **kwargs)
                raise KilledError

            monkeypatch.setattr(SqlStore, name, dies)
            with pytest.raises(KilledError):
                materialize(env, "sensor")
            monkeypatch.setattr(SqlStore, name, real)
            assert heat(env, hours(2)) in (1.0, 2.0)
    assert materialize(env, "sensor").version == 1
    assert heat(env, hours(2)) == 2.0


def test_a_store_that_lost_everything_is_filled_again(env: Environment, publish: Any) -> None:
    publish(env, "readings", rows({"at": hours(0)}))
    materialize(env, "sensor")
    Path(env.online.removeprefix("sqlite:///")).unlink()
    with pytest.raises(NotReadyError, match="features materialize sensor"):
        get(env, "sensor", [A], at=hours(1))
    materialize(env, "sensor")
    assert heat(env, hours(1)) == 1.0


def test_values_of_two_definitions_do_not_mix(
    open_env: Any, publish: Any, env: Environment
) -> None:
    publish(env, "readings", rows({"at": hours(0)}, {"at": hours(0), "line": 2}))
    materialize(env, "sensor")
    changed = {k: v.replace("heat * 2", "heat * 3") for k, v in FILES.items()}
    other = open_env(changed)
    with pytest.raises(NotReadyError, match="as it is defined now"):
        get(other, "sensor", [A], at=hours(1))
    assert not materialize(other, "sensor").incremental
    found = get(other, "sensor", [A], at=hours(1))[0]
    assert found.values
    assert found.values["twice"] == 3.0
    assert len(open_online(env.online).shelves("sensor")) == 1  # the old ones are gone


def test_rows_that_left_the_table_leave_the_store(env: Environment, publish: Any) -> None:
    first = publish(env, "readings", rows({"at": hours(0), "heat": 1.0})).version
    publish(env, "readings", rows({"at": hours(1), "heat": 2.0}, first=1), "two.csv")
    materialize(env, "sensor")
    assert heat(env, hours(2)) == 2.0
    revert(env, "readings", first, actor="ann", reason="the second file was wrong")
    assert not materialize(env, "sensor").incremental
    assert heat(env, hours(2)) == 1.0
    assert (
        get(env, "sensor", [A], at=hours(2))[0] == get_offline(env, "sensor", [A], at=hours(2))[0]
    )


def test_a_zombie_with_old_rows_wins_nothing(env: Environment, publish: Any) -> None:
    publish(env, "readings", rows({"at": hours(5), "heat": 1.0}))
    materialize(env, "sensor")
    store = open_online(env.online)
    shelf = online.serving(env, "sensor", store)
    assert shelf
    there = store.get(shelf, ['["a",1]'])['["a",1]'][0]
    old = there._replace(time="2026-01-01T02:00:00.000000", values="{}")
    same = there._replace(version=there.version - 1, values="{}")
    store.put(shelf, [old, same], since=shelf.since)
    assert store.get(shelf, ['["a",1]'])['["a",1]'] == [there]


def test_clear_words(env: Environment, publish: Any) -> None:
    with pytest.raises(NotReadyError, match="no file was published"):
        materialize(env, "sensor")
    publish(env, "readings", rows({"at": hours(5)}))
    with pytest.raises(ConfigError, match="there is no view 'sensors'"):
        get(env, "sensors", [A])
    with pytest.raises(DataError, match="named by sensor, line, not by sensor"):
        get(env, "sensor", [{"sensor": "a"}])
    with pytest.raises(DataError, match="line is of type int; 'x' is not"):
        online.entity(env, "sensor").read([{"sensor": "a", "line": "x"}])
    with pytest.raises(NotReadyError, match="run 'trimtab features materialize sensor'"):
        get(env, "sensor", [A])
    materialize(env, "sensor")
    with pytest.raises(NotReadyError, match="ask the table with --offline"):
        get(env, "sensor", [A], at=hours(4))
    assert get_offline(env, "sensor", [A], at=hours(4))[0].values is None


def test_a_view_that_is_not_online(open_env: Any, publish: Any) -> None:
    files = {k: v.replace("online: true", "") for k, v in FILES.items()}
    env = open_env(files)
    publish(env, "readings", rows({"at": hours(5)}))
    for refused in (lambda: materialize(env, "sensor"), lambda: get(env, "sensor", [A])):
        with pytest.raises(NotReadyError, match="not kept online"):
            refused()
    found = get_offline(env, "sensor", [A], at=hours(6))[0]
    assert found.values

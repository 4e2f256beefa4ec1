"""Seven ways to tamper with the ledger: which a chain finds alone, and that any anchor finds all.

Whoever tampers can write the database and knows how a hash is made. What he cannot do is named:
sign with the key, or reach the place of the anchor.
"""

import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from trimtab.adapters.tracking import Tracker
from trimtab.environment import Environment
from trimtab.ledger import chain, champion
from trimtab.ledger.keys import Keyring
from trimtab.ledger.tables import events
from trimtab.stages import anchor
from trimtab.stages.card import write_card
from trimtab.stages.ledger_check import KIND, check_ledger
from trimtab.stages.mirror import catch_up

KEY = "k" * 32
FIRST, LAST = 6, 10  # entries that made a champion


@pytest.fixture
def env(world: Any, make_rows: Callable[..., Any]) -> Environment:
    """Twelve entries, of which two are changes of champion that every place keeps."""
    env: Environment = world.env
    filled(env, world, make_rows)
    return env


def filled(env: Environment, world: Any, make_rows: Callable[..., Any]) -> None:
    client, before = env.tracker.client, None
    client.create_registered_model("buys")
    for version in (1, 2):
        env.ledger.append("note", "buys", f"before {version}", {"version": version})
        world.train(version, data=make_rows(100))
        while len(env.ledger.events()) + 1 < (FIRST, LAST)[version - 1]:
            env.ledger.append("note", "buys", str(len(env.ledger.events())), {"n": 1.5})
        tags = {"trimtab.version": str(version)}
        client.create_model_version("buys", "file:///nowhere", tags=tags, await_creation_for=0)
        before = champion.swap(
            env.ledger,
            "buys",
            version,
            expected=before,
            action="promote",
            actor="ana",
            reason="better",
        )
        anchor.keep_champion(env, "buys")
        env.tracker.keep_head("buys", version, anchor_text(env))
        write_card(env, "buys", version)
    for text in ("one", "two"):
        env.ledger.append("note", "buys", text, {"text": text})
    assert [e.seq for e in env.ledger.events("champion")] == [FIRST, LAST]
    assert len(env.ledger.events()) == 12


def anchor_text(env: Environment) -> str:
    event = env.ledger.latest("champion", "buys")
    assert event
    return f"{event.seq}:{event.hash}"


# ------------------------------------------------------------------ what is done to the table


def rows(connection: Connection) -> list[dict[str, Any]]:
    found = connection.execute(select(events).order_by(events.c.seq)).mappings()
    return [dict(row) for row in found]


def rehashed(connection: Connection, entries: list[dict[str, Any]]) -> None:
    """Put these entries in the place of all, numbered and hashed so that they fit."""
    connection.execute(delete(events))
    previous = chain.GENESIS
    for seq, entry in enumerate(entries, start=1):
        entry |= {"seq": seq, "previous": previous}
        entry["hash"] = previous = chain.entry_hash(previous, entry)
    connection.execute(insert(events), entries)


def edit(connection: Connection) -> None:
    connection.execute(update(events).where(events.c.seq == 4).values(actor="nobody"))


def remove(connection: Connection) -> None:
    connection.execute(delete(events).where(events.c.seq == 4))


def insert_one(connection: Connection) -> None:
    """A new entry 4 that fits what is before it; the others move up by one."""
    entries = rows(connection)
    new = {**entries[3], "key": "forged", "previous": entries[2]["hash"]}
    new["hash"] = chain.entry_hash(new["previous"], new)
    connection.execute(delete(events))
    later = [{**entry, "seq": entry["seq"] + 1} for entry in entries[3:]]
    connection.execute(insert(events), [*entries[:3], new, *later])


def swap(connection: Connection) -> None:
    """Entries 4 and 5 in the other order."""
    entries = rows(connection)
    connection.execute(delete(events))
    entries[3], entries[4] = {**entries[4], "seq": 4}, {**entries[3], "seq": 5}
    connection.execute(insert(events), entries)


def cut(connection: Connection) -> None:
    connection.execute(delete(events).where(events.c.seq > 8))


def wipe(connection: Connection) -> None:
    connection.execute(delete(events))


def rewrite(connection: Connection) -> None:
    """Another actor in entry 4, and every hash from there on made anew."""
    entries = rows(connection)
    entries[3]["actor"] = "nobody"
    rehashed(connection, entries)


TAMPERINGS = (edit, remove, insert_one, swap, cut, wipe, rewrite)
# The first entry a chain by itself finds, None where it finds nothing.
ALONE = {edit: 4, remove: 5, insert_one: 5, swap: 4, cut: None, wipe: None, rewrite: None}
# With anchors at entries 6 and 10.
ANCHORED = {edit: 4, remove: 5, insert_one: 5, swap: 4, cut: 9, wipe: 1, rewrite: FIRST}


def each(env: Environment, look: Callable[[], Any]) -> dict[Any, Any]:
    """Do each of them to the whole ledger; return what ``look`` found."""
    with env.ledger.engine.connect() as connection:
        whole = rows(connection)
    found = {}
    for tampering in TAMPERINGS:
        with env.ledger.engine.begin() as connection:
            tampering(connection)
        found[tampering] = look()
        with env.ledger.engine.begin() as connection:
            connection.execute(delete(events))
            connection.execute(insert(events), whole)
    return found


def without(env: Environment, *kinds: str) -> None:
    """Take away the anchors of these kinds."""
    if "folder" in kinds:
        shutil.rmtree(env.home / "anchors")
    if "card" in kinds:
        shutil.rmtree(env.reports / "models")
    if "tracking" in kinds:
        empty = Tracker(f"sqlite:///{env.home / 'other.db'}", env.home / "mlflow")
        shutil.copy(env.home / "mlflow.db", env.home / "other.db")
        for version in empty.client.search_model_versions():
            empty.client.delete_model_version_tag("buys", version.version, "trimtab.ledger")
        object.__setattr__(env, "tracker", empty)


KINDS = {"folder", "tracking", "card"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_tampering_is_found_with_any_one_anchor(env: Environment, kind: str) -> None:
    without(env, *KINDS - {kind})
    assert check_ledger(env, record=False).ok
    found = each(env, lambda: check_ledger(env, record=False))
    assert {tampering: check.first_bad for tampering, check in found.items()} == ANCHORED
    for tampering, check in found.items():
        assert not check.ok
        assert {each.anchor.kind for each in check.disagree} <= {kind}
        assert any(str(check.first_bad) in problem for problem in check.problems)
        if ALONE[tampering] is None:
            assert check.disagree
    assert check_ledger(env, record=False).ok


def test_without_an_anchor_a_plain_chain_misses_three(env: Environment) -> None:
    without(env, *KINDS)
    found = each(env, lambda: check_ledger(env, record=False))
    assert {tampering: check.first_bad for tampering, check in found.items()} == ALONE
    assert {t for t, check in found.items() if check.ok} == {cut, wipe, rewrite}


def test_under_a_key_and_without_an_anchor_only_missing_ends_are_missed(
    new_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_LEDGER_KEY", KEY)
    env: Environment = new_world().env
    for i in range(8):
        env.ledger.append("note", "buys", str(i), {"n": i})
    found = each(env, lambda: env.ledger.verify().bad)
    # who has no key makes hashes that fit each other and nothing else
    assert found == {**ALONE, insert_one: 4, rewrite: 1}


def test_a_chain_written_anew_without_the_key_that_is_set_is_no_proof(
    env: Environment, clock: Any
) -> None:
    without(env, *KINDS)
    assert check_ledger(env, record=False).ok
    env.ledger.keys = Keyring.of(KEY)
    check = check_ledger(env, record=False)
    assert not check.ok
    assert "no entry is under a key" in check.problems[0]
    env.ledger.use_key(actor="ana", reason="from today on")
    assert check_ledger(env, record=False).ok


def test_a_result_is_recorded_and_vouches_for_all_before_it(env: Environment) -> None:
    first = check_ledger(env)
    assert (first.ok, first.agreed) == (True, LAST)
    result = env.ledger.latest(KIND, "ledger")
    assert result
    assert (result.payload["ok"], result.payload["entries"], result.seq) == (True, 12, 13)
    second = check_ledger(env)
    assert (second.ok, second.agreed) == (True, 13)
    with env.ledger.engine.begin() as connection:
        connection.execute(delete(events).where(events.c.seq > 11))
    third = check_ledger(env)
    assert (third.ok, third.first_bad) == (False, 12)
    assert env.ledger.events(KIND)[-1].payload["first_bad"] == 12


def test_an_entry_is_anchored_once_however_often_it_is_kept(env: Environment) -> None:
    folder = env.home / "anchors" / "ledger"
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert len(before) == 2
    anchor.keep_champion(env, "buys")
    catch_up(env, "buys")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_place_that_cannot_be_written_warns_and_stops_nothing(
    env: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(env.home / "anchors")
    (env.home / "anchors").write_text("a file where a folder should be")
    anchor.keep_champion(env, "buys")
    assert "entry 10 is not kept at anchors" in caplog.text
    check = check_ledger(env, record=False)
    assert check.ok
    assert "anchors anchors keeps 0 of 2 changes of champion; the newest" in str(check.notes)
    assert set(check.anchors) == {env.tracker.place, "model cards"}


def test_promotion_and_rollback_anchor_themselves(world: Any, clock: Any) -> None:
    from trimtab.stages.rollback import rollback

    env = world.env
    for version in (1, 2):
        world.champion(version)
        clock.time += timedelta(hours=1)
    rollback(env, "buys", to=1, reason="complaints", actor="ana")
    entries = [event.seq for event in env.ledger.events("champion")]
    kept = {found.seq for found in anchor.anchors(env, []) if found.kind == "folder"}
    assert kept == set(entries)
    assert {a.seq for a in anchor.anchors(env, []) if a.kind == "card"} == {entries[1], entries[2]}
    assert check_ledger(env).ok

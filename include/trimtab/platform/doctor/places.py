"""The ledger, MLflow, the disks and the sources."""

import shutil
import tempfile
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine, inspect, text

from trimtab.environment import Environment
from trimtab.ledger import Ledger
from trimtab.ledger.keys import VARIABLE
from trimtab.ledger.tables import events
from trimtab.platform.doctor.finding import Finding, judged, ok, tried
from trimtab.stages import anchor

_GB = 1_000_000_000
_SKEW = 60.0  # seconds


def ledger(env: Environment) -> Iterator[Finding]:
    """Ask for its version and its clock, and insert nothing."""
    yield from tried("ledger", lambda: _ledger(env.ledger), "start it, or correct its address")


def _ledger(ledger: Ledger) -> Iterator[Finding]:
    engine = ledger.engine
    with engine.begin() as connection:
        version = ".".join(str(part) for part in connection.dialect.server_version_info or ())
        nothing = events.select().where(text("1 = 0"))
        connection.execute(events.insert().from_select(list(events.c.keys()), nothing))
        now = connection.execute(text("select current_timestamp")).scalar()
    name = engine.dialect.name
    yield judged(
        "ledger",
        name == "postgresql",
        f"{name} {version} answers and takes writes",
        "SQLite has one writer and is meant for tests; set ledger to embedded or a PostgreSQL URL",
        otherwise="warn",
    )
    yield _chain(ledger)
    if isinstance(now, datetime):
        ahead = (datetime.now(UTC) - now).total_seconds()
        said = f"this machine is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} it"
        yield judged("ledger clock", abs(ahead) <= _SKEW, said, "set this machine's clock (NTP)")


def _chain(ledger: Ledger) -> Finding:
    """Whether somebody who can write the database could write the record anew."""
    under, ours = ledger.chain_key(), ledger.keys.current
    if under is None:
        new = "run 'trimtab ledger key'" if ours else f"set {VARIABLE}, then 'trimtab ledger key'"
        text = "the chain is under no key: who can write the database can write it anew"
        return judged("ledger chain", False, text, new, otherwise="warn")
    cure = f"set {VARIABLE} to the key it is under; nothing can be recorded without it"
    held = ledger.keys.find(under) is not None
    said = f"under key {under}" + ("" if held else f", which {VARIABLE} does not hold")
    return judged("ledger chain", held, said, cure)


def anchors(env: Environment) -> Iterator[Finding]:
    """Look whether the places that keep the ledger's head can be read."""
    for name in env.project.environment.anchors:
        cure = "correct 'anchors' in the environment file, or the place's rights"

        def look(name: str = name) -> list[Finding]:
            count = len(list(anchor.in_place(env, name)))
            return [ok("anchors", f"{name} holds {count} anchor(s)")]

        yield from tried("anchors", look, cure)
    if not env.project.environment.anchors:
        text = "none: entries missing at the ledger's end are seen by MLflow and cards only"
        yield judged("anchors", False, text, "name a folder or bucket", otherwise="warn")


def mlflow(env: Environment) -> Iterator[Finding]:
    """Ask whether MLflow answers; without it trimtab works, and shows nothing there."""
    uri, place = env.tracker.uri, env.tracker.place
    cure = "start it or correct tracking; stages go on without it and 'reconcile' catches up"
    try:
        said = _health(uri) if uri.startswith("http") else _migration(uri)
    except Exception as error:
        problem = f"{place} does not answer: {type(error).__name__}"
        yield judged("mlflow", False, problem, cure, otherwise="warn")
    else:
        yield ok("mlflow", f"{place} {said}")


def _health(uri: str) -> str:
    with urllib.request.urlopen(f"{uri}/health", timeout=10):  # noqa: S310 the address is our own
        return "answers"


def _migration(uri: str) -> str:
    engine = create_engine(uri)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return "answers; its tables come when it is first used"
            version = connection.execute(text("select version_num from alembic_version")).scalar()
    finally:
        engine.dispose()
    return f"answers, schema {version}"


def online(env: Environment) -> Iterator[Finding]:
    """Ask the online store whether it answers, when a feature view is kept there."""
    if any(view.online for view in env.project.views.values()):
        cure = "start it, or correct 'online' in the environment file or TRIMTAB_ONLINE"
        yield from tried("online store", lambda: _online(env), cure)


def _online(env: Environment) -> list[Finding]:
    from trimtab.adapters.online import open_online

    return [ok("online store", open_online(env.online).probe())]


def space(env: Environment) -> Iterator[Finding]:
    """Look at the free space of every place work is written to."""
    seen: set[int] = set()
    for folder in (env.home, env.lake, Path(tempfile.gettempdir())):
        there = next(f for f in (folder, *folder.parents) if f.exists())
        if (device := there.stat().st_dev) in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(there).free / _GB
        yield judged(
            "space",
            free >= 1,
            f"{free:.1f} GB free at {there}",
            "free some space: files are copied to it while they are judged",
        )


def sources(env: Environment) -> Iterator[Finding]:
    """List every landing place and ask every query for no row."""
    from trimtab.data.sources import open_source

    for name in env.project.datasets:
        cure = f"correct source in datasets/{name}.yaml, its connection, or the place's rights"
        what = f"source {name}"

        def look(name: str = name, what: str = what) -> list[Finding]:
            return [ok(what, open_source(env, name).probe())]

        yield from tried(what, look, cure)

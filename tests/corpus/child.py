"""Judge every case as a user who is not root, in a process of its own.

``python -m tests.corpus.child FOLDER`` prints one JSON line per case and form.
"""

import contextlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import polars as pl
from tests.corpus import files, parquets, shop, text, values
from tests.corpus.case import CASES, Case

from trimtab.clock import FixedClock
from trimtab.environment import Environment, open_environment
from trimtab.stages import ingest, publish, validate
from trimtab.types import FileVerdict

__all__ = ["files", "parquets", "text", "values"]
NOBODY = 65534


def judged(case: Case, form: str, place: Path) -> dict[str, Any]:
    """Make the case's files in a home of its own and say what became of them."""
    env = environment(place, shop.contract(form, case.contract))
    landing = place / "home" / "landing" / "orders"
    landing.mkdir(parents=True)
    for file in case.before(landing, form):
        earlier = take(env, file)
        if earlier.verdict != "accepted":
            return {"error": f"{file.name}, which comes before: {earlier.reason} {earlier.detail}"}
        if case.published:
            _publish(env, earlier)
    file = case.make(landing, form)
    with case.during(file) if case.during else contextlib.nullcontext():
        verdict = take(env, file)
    told = verdict.to_json()
    if verdict.verdict == "accepted":
        whole = not verdict.quarantined and form in ("csv", case.forms[0])
        told["wrong_values"] = wrong_values(env, verdict, case, whole=whole)
    return told


def take(env: Environment, file: Path, *, number: int = 0) -> FileVerdict:
    """Ingest a file that arrives when the clock says; ``number`` tells equal names apart."""
    at = int(shop.ARRIVAL.timestamp()) * 10**9 + number
    if file.is_file() and not file.is_symlink():
        os.utime(file, ns=(at, at))
    return ingest.ingest_path(env, "orders", file)


def wrong_values(env: Environment, verdict: FileVerdict, case: Case, *, whole: bool) -> list[str]:
    """Compare what was staged (and, of good files, published) with what was delivered."""
    staged = pl.read_parquet(env.store.location(str(verdict.staged)))
    wrong = _differences(staged, case)
    if whole:
        _publish(env, verdict)
        table = pl.read_delta(env.table("orders"))
        wrong += _differences(table.filter(pl.col("_file") == verdict.sha256), case)
        if table.height != verdict.rows_accepted:
            wrong.append(f"published {table.height} rows of {verdict.rows_accepted}")
    return wrong


def _publish(env: Environment, verdict: FileVerdict) -> None:
    validate.validate(env, "orders", verdict.sha256)
    publish.publish(env, "orders", [verdict.sha256])


def _differences(rows: pl.DataFrame, case: Case) -> list[str]:
    """Cells that are not what was delivered."""
    known = {row["order_id"]: row for row in case.rows()}
    wrong = []
    for row in rows.iter_rows(named=True):
        delivered = known[row["order_id"]]
        for name, cell in delivered.items():
            if row[name] != (shop.typed(name, cell) if cell else None):
                wrong.append(f"row {row['_row']}: {name} is {row[name]!r}, delivered {cell!r}")
    return wrong


def environment(place: Path, contract: str) -> Environment:
    """An environment with one dataset, on SQLite; tables lie where TRIMTAB_CORPUS_STORE says."""
    config = place / "config" / "datasets"
    config.mkdir(parents=True)
    (config / "orders.yaml").write_text(contract)
    (place / "home").mkdir()
    return opened(place)


def opened(place: Path) -> Environment:
    """Open an environment that was made before."""
    home = place / "home"
    os.environ["TRIMTAB_LEDGER"] = f"sqlite:///{home / 'ledger.db'}"
    os.environ["TRIMTAB_TRACKING"] = f"sqlite:///{home / 'mlflow.db'}"
    if base := os.environ.get("TRIMTAB_CORPUS_STORE"):
        os.environ["TRIMTAB_STORE"] = f"{base}/{place.name}"
    return open_environment(home=home, config=place / "config", clock=FixedClock(shop.ARRIVAL))


def drop_privileges(folder: Path) -> None:
    """Become nobody: root may read what nobody else may."""
    if os.getuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def main(folder: Path) -> None:
    """Print what became of each case, in every form."""
    import tempfile

    wanted = sys.argv[2:] or sorted(CASES)
    # what is imported late is imported now: nobody may not be able to read the interpreter's files
    for form in CASES["A01"].forms:
        judged(CASES["A01"], form, Path(tempfile.mkdtemp()))
    for encoding in ("utf-16", "utf-16-le", "utf-8-sig"):
        "".encode(encoding)
    folder.chmod(0o777)
    drop_privileges(folder)
    tempfile.tempdir = str(folder)
    for number in wanted:
        for form in CASES[number].forms[: int(os.environ.get("TRIMTAB_CORPUS_FORMS", "9"))]:
            place = folder / f"{number}-{form}"
            try:
                told = judged(CASES[number], form, place)
            except Exception as error:
                told = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps({"case": number, "form": form, **told}), flush=True)
            shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

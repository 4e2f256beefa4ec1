"""Judge damaged files in a process with little memory and little time.

``python -m tests.corpus.fuzz FOLDER SEED FIRST COUNT`` prints one JSON line per file, after it was
judged; the line before it names the file, so that a process that dies tells of what.
"""

import json
import resource
import shutil
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import polars as pl
from tests.corpus import child, mutate, shop
from tests.corpus.case import write

from trimtab.data import quarantine
from trimtab.data.reasons import AcceptReason, FileReason, RowReason
from trimtab.environment import Environment
from trimtab.types import FileVerdict

MEMORY = 500_000_000  # bytes of address space above what the process has before the first file
SECONDS = 20  # of processor time for one file; the process is killed above it
EACH = 100  # files that share a ledger


def main(folder: Path, seed: str, first: int, count: int) -> None:
    """Judge files ``first`` to ``first + count``."""
    warm = folder / "warm"
    for form in mutate.FORMS:
        child.take(_environment(warm / form, form), _good(warm / form, form))
    _limit()
    for number in range(first, first + count):
        form, data = mutate.mutated(f"{seed} {number}")
        print(json.dumps({"begins": number, "form": form}), flush=True)
        place = folder / f"{number // EACH}-{form}"
        if not place.exists():
            _environment(place, form)
        told = _judged(place, form, data, number)
        if told["problems"]:
            (folder / f"found-{number}.{shop.SUFFIX[form]}").write_bytes(data)
        print(json.dumps({"file": number, "form": form, **told}), flush=True)
        if number % EACH == EACH - 1:
            shutil.rmtree(folder / f"{number // EACH}-{form}", ignore_errors=True)


def _judged(place: Path, form: str, data: bytes, number: int) -> dict[str, Any]:
    env = child.opened(place)
    file = write(place, form, data)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        verdict = child.take(env, file, number=number)
    except Exception as error:
        where = traceback.format_exc().splitlines()[-6:]
        return {"problems": [f"{type(error).__name__}: {error}", *where]}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return {
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "problems": list(_problems(env, verdict, data)),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def _problems(env: Environment, verdict: FileVerdict, data: bytes) -> list[str]:
    """What is not as it must be, whatever the file was."""
    found = []
    rejected = verdict.verdict == "rejected"
    if verdict.reason not in [*(FileReason if rejected else AcceptReason)]:
        found.append(f"reason {verdict.reason} is not on the list")
    if (
        unknown := set(verdict.quarantined)
        - {*RowReason}
        - ({verdict.reason} if rejected else set())
    ):
        found.append(f"reasons {unknown} are not on the list")
    if verdict.verdict == "duplicate":
        return found
    aside = sum(verdict.quarantined.values())
    if verdict.rows_read != verdict.rows_accepted + aside:
        found.append(f"{verdict.rows_read} read, {verdict.rows_accepted} good, {aside} aside")
    if rejected:
        kept = quarantine.files_prefix("orders", verdict.sha256) + verdict.name
        if Path(env.store.location(kept)).read_bytes() != data:
            found.append("the refused file is not kept as it was")
        return found
    lies = quarantine.kept(env, "orders", verdict.sha256)
    counts = {} if lies is None else dict(lies.group_by("_reason").len().collect().iter_rows())
    if counts != verdict.quarantined:
        found.append("quarantine holds other rows than the verdict says")
    staged = pl.read_parquet(env.store.location(str(verdict.staged)))
    if staged.height != verdict.rows_accepted:
        found.append(f"{staged.height} rows staged, {verdict.rows_accepted} accepted")
    return found


def _environment(place: Path, form: str) -> Environment:
    place.parent.mkdir(parents=True, exist_ok=True)
    return child.environment(place, shop.contract(form))


def _good(place: Path, form: str) -> Path:
    return write(place, form, shop.to_bytes(shop.good_rows(), form))


def _limit() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))

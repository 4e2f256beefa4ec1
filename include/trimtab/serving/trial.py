"""A packaged model on trial: loaded as it will serve, asked again what it has answered before.

``python -m trimtab.serving.trial`` does it in a process of its own (`trimtab.serving.fresh`).
"""

import io
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import psutil

from trimtab.errors import IntegrityError, TrimtabError
from trimtab.serving import answers, loader
from trimtab.serving.loader import LoadedModel
from trimtab.types import Candidate, Measure, Record

BATCH = 1000  # rows that are asked at once to measure the latency
# Threads may add numbers up in another order; what is larger is another answer.
ROUNDING = 1e-9  # of the largest answer, and of 1
_LEAST, _MOST, _SECONDS = 3, 20, 0.2  # repeats, and the time for those after the least


class Trial(Record):
    """What came of it."""

    rows: int  # that were asked
    difference: Measure  # largest absolute one to the recorded answers; NaN: not comparable
    rounding: float  # up to here they are the same answers
    size: int  # bytes of the model's file
    latency: float  # milliseconds a row, of a batch; the fastest of several
    memory: int  # bytes that the process grew by until it had answered
    seconds: float  # from loading to the first answers

    @property
    def same(self) -> bool:
        """Whether it answered as recorded."""
        return self.difference <= self.rounding


def hold(lake: Path, candidate: Candidate, recorded: str) -> Trial:
    """Load a version in this process and ask it the rows of its file ``recorded``.

    Raises:
        IntegrityError: a file is not what the ledger says, or holds a type we do not allow.
        TrimtabError: there are no recorded rows to ask.
    """
    import skops.io  # noqa: F401 what it takes is no memory of the model's

    rows = pl.read_parquet(io.BytesIO(loader.read(lake, candidate, recorded)))
    if rows.is_empty():
        raise TrimtabError(f"{lake / candidate.uri / recorded} holds no rows to ask the model")
    before, began = _memory(), time.perf_counter()
    model = loader.load(lake, candidate)
    now, then = answers.predictions(model, rows), answers.remembered(rows)
    seconds, memory = time.perf_counter() - began, _memory() - before
    largest = max((float(np.nanmax(np.abs(s.to_numpy()), initial=1.0)) for s in then), default=1.0)
    return Trial(
        rows=rows.height,
        difference=answers.difference(then, now),
        rounding=ROUNDING * largest,
        size=(lake / candidate.uri / "model.skops").stat().st_size,
        latency=_latency(model, rows.to_pandas()),
        memory=max(memory, 0),
        seconds=round(seconds, 3),
    )


def _latency(model: LoadedModel, frame: pd.DataFrame) -> float:
    batch = frame.iloc[np.arange(BATCH) % len(frame)].reset_index(drop=True)
    took: list[float] = []
    until = time.perf_counter() + _SECONDS
    while len(took) < _LEAST or (len(took) < _MOST and time.perf_counter() < until):
        began = time.perf_counter()
        model.predict(batch)
        took.append(time.perf_counter() - began)
    return min(took) * 1000 / BATCH


def _memory() -> int:
    return int(psutil.Process().memory_info().rss)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        candidate = Candidate.model_validate(request["candidate"])
        return {"trial": hold(Path(request["lake"]), candidate, request["recorded"]).to_json()}
    except IntegrityError as error:
        return {"refused": str(error)}
    except Exception as error:  # whatever a model makes its library raise
        known = isinstance(error, TrimtabError)
        return {"failed": str(error) if known else f"{type(error).__name__}: {error}"}


def _main() -> None:
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)  # what libraries print is no part of the answer
        json.dump(_answer(json.load(sys.stdin)), out)


if __name__ == "__main__":
    _main()

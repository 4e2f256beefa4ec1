"""The machine a training runs on, and what it takes of it."""

import functools
import os
import platform
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil

_EVERY = 0.1  # seconds between two looks at the memory
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# What another machine may have and still give the same numbers.
CLASS = ("cpu", "machine", "threads")


def hardware() -> dict[str, Any]:
    """Processor, cores, memory (bytes), platform, and the threads numeric libraries may use."""
    return {
        "cpu": _cpu(),
        "machine": platform.machine(),
        "cores": os.cpu_count() or 1,
        "memory": psutil.virtual_memory().total,
        "platform": platform.platform(),
        "threads": {name: os.environ[name] for name in _THREADS if name in os.environ},
    }


@functools.cache
def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # no Linux
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


@dataclass(frozen=True)
class Usage:
    """What a piece of work took. The memory is the whole process's, sampled while it ran."""

    seconds: float
    cpu_seconds: float
    peak_memory: int  # bytes
    memory_before: int

    def to_json(self, price: float | None, currency: str) -> dict[str, Any]:
        """Plain values for the record, with what it cost where an hour has a price.

        An hour of the machine is paid for while it runs, so wall time counts.
        """
        hours = self.seconds / 3600
        return {
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "cpu_hours": round(self.cpu_seconds / 3600, 6),
            "peak_memory": self.peak_memory,
            "memory_before": self.memory_before,
            "memory_measured": f"resident memory of the process, every {_EVERY} s",
            "cost": None if price is None else round(price * hours, 6),
            "currency": None if price is None else currency,
        }


class Meter:
    """Measures a block: wall time, processor time of the process, peak of its memory."""

    def __enter__(self) -> Self:
        """Begin to measure."""
        self._process = psutil.Process()
        self._began, self._cpu = time.monotonic(), time.process_time()
        self._before = self._peak = self._look()
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="trimtab-meter", daemon=True)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the watcher."""
        self._done.set()
        self._watcher.join()

    def usage(self) -> Usage:
        """Say what was taken so far."""
        self._peak = max(self._peak, self._look())
        seconds, cpu = time.monotonic() - self._began, time.process_time() - self._cpu
        return Usage(seconds, cpu, self._peak, self._before)

    def _watch(self) -> None:
        while not self._done.wait(_EVERY):
            self._peak = max(self._peak, self._look())

    def _look(self) -> int:
        return int(self._process.memory_info().rss)

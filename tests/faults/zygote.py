"""A process that has imported everything and forks a child for each order it reads.

Forking the test process itself would take its threads' locks along, and a fresh process would
import for ten seconds; this one has imported and started no thread.
"""

import contextlib
import importlib
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

sys.path.extend(map(str, Path(__file__).parents[:3]))

import points


def main() -> None:
    """Answer orders from stdin, one JSON document a line, until it is closed."""
    import great_expectations  # noqa: F401

    from trimtab.adapters import delta, gx  # noqa: F401
    from trimtab.stages import backlog, ingest, publish, validate  # noqa: F401

    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(_answer(order)), flush=True)


def _answer(order: dict[str, Any]) -> Any:
    if "wait" in order:
        flags = os.WUNTRACED | (os.WNOHANG if order["glance"] else 0)
        pid, status = os.waitpid(order["wait"], flags)
        return None if not pid else _status(status)
    if "learn" in order:
        return _learn(order["learn"])
    if pid := os.fork():
        return pid
    try:
        _child(order)
    except BaseException:
        Path(order["log"]).write_text(traceback.format_exc())
        os._exit(1)
    os._exit(0)


def _learn(modules: list[str]) -> int:
    """Import what a child needed, so that the next one finds it there."""
    before = len(sys.modules)
    for name in modules:
        if name not in sys.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    return len(sys.modules) - before


def _status(status: int) -> str:
    if os.WIFSTOPPED(status):
        return "stopped"
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    return f"exit {os.WEXITSTATUS(status)}"


def _child(order: dict[str, Any]) -> None:
    os.environ.update(order["environment"], PGAPPNAME=order["role"])
    from trimtab.clock import FixedClock
    from trimtab.environment import open_environment

    home, config = Path(order["home"]), Path(order["config"])
    send = signal.SIGSTOP if order["fault"] == "stop" else signal.SIGKILL
    counted = points.Points(str(home), order["at"], send)
    counted.watch()
    told = importlib.import_module(order["module"])
    env = open_environment(home=home, config=config, clock=FixedClock(told.NOW))
    counted.on = True
    try:
        told.PIPELINES[order["pipeline"]](env, order["only"])
    finally:
        counted.on = False
        Path(order["log"]).with_suffix(".points").write_text("\n".join(counted.seen))
        Path(order["log"]).with_suffix(".modules").write_text("\n".join(sys.modules))


if __name__ == "__main__":
    main()
    os._exit(0)  # what the imported libraries would tidy up takes seconds

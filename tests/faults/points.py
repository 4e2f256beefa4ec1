"""Every mutating step of a process, counted; at one of them it is killed or put to sleep.

A step is a look from outside, so nothing of the product is replaced: Python's audit events tell of
files opened for writing, renamed, made and removed; around ledger entries, the store's methods and
Delta's commits (whose writes happen in Rust) a step is counted before and after.
"""

import functools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

_EVENTS = {
    "os.rename",
    "os.mkdir",
    "os.remove",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "shutil.move",
}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Points:
    """Counts steps below ``root``; at step ``at`` sends itself ``signal``, once."""

    def __init__(self, root: str, at: int | None = None, send: int = signal.SIGKILL) -> None:
        self.root, self.at, self.send = root, at, send
        self.seen: list[str] = []
        self.on = False

    def step(self, name: str) -> None:
        if not self.on:
            return
        self.seen.append(name.replace(self.root, ""))
        if len(self.seen) == self.at:
            os.kill(os.getpid(), self.send)

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def stepped(*args: Any, **kwargs: Any) -> Any:
            self.step(f"before {name}")
            result = function(*args, **kwargs)
            self.step(f"after {name}")
            return result

        return stepped

    def watch(self) -> None:
        sys.addaudithook(self._audit)
        self._watch_ledger()
        self._watch_stores()
        self._watch_delta()

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(args[2], int) and args[2] & _WRITES:
            if str(args[0]).startswith(self.root):
                self.step(f"open {args[0]}")
        elif event in _EVENTS and any(str(arg).startswith(self.root) for arg in args):
            self.step(f"{event} {args[0]}")

    def _watch_ledger(self) -> None:
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        from trimtab.ledger import Ledger

        Ledger.append = self.around("append", Ledger.append)  # type: ignore[method-assign]
        event.listen(Engine, "commit", lambda connection: self.step("commit"))

    def _watch_stores(self) -> None:
        from trimtab.adapters import store

        for kind in (store.Folder, store.S3Store):
            for name in ("put", "write", "delete"):
                setattr(kind, name, self.around(f"store.{name}", getattr(kind, name)))

    def _watch_delta(self) -> None:
        import deltalake

        table = deltalake.DeltaTable
        for name in ("create_write_transaction", "restore"):
            setattr(table, name, self.around(f"delta.{name}", getattr(table, name)))
        # functions are bound by name where they are imported
        for name in ("create_table_with_add_actions", "write_deltalake"):
            for module in [m for n, m in sys.modules.items() if n.startswith("trimtab.adapters")]:
                if hasattr(module, name):
                    setattr(module, name, self.around(f"delta.{name}", getattr(module, name)))

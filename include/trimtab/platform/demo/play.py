"""Feed the year month by month; Airflow does the rest. Nothing here calls a stage."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from trimtab.environment import Environment
from trimtab.errors import DependencyError, TrimtabError
from trimtab.ledger import Event, champion
from trimtab.platform.demo import feed
from trimtab.platform.demo.watch import Airflow, unfinished

FIRST = 3  # months that are there from the beginning
PATIENCE = 300.0  # seconds without any news before the feed goes on without a month
POLL = 1.0
CALM = 3  # looks in a row without open work: an event may be on its way to a run


@dataclass
class Year:
    """The feed's state: what was delivered, when, and what was seen in the ledger."""

    env: Environment
    airflow: Airflow
    tell: Callable[[Event], None]  # every ledger event, in order, once
    status: Callable[[str, list[str]], None]  # the month, and the tasks that run
    stopped: Callable[[], bool]
    delivered: dict[tuple[str, str], int] = field(default_factory=dict)
    months: dict[str, float] = field(default_factory=dict)  # seconds until settled
    unsettled: list[str] = field(default_factory=list)
    first_champion: float | None = None
    wall: float = 0.0
    began: datetime | None = None
    seen: int = 0

    def play(self, count: int) -> None:
        """Deliver January to month ``count``, each when the one before has settled.

        Raises:
            TrimtabError: it was interrupted.
        """
        source = self.env.home / "demo"
        rows = feed.prepare(source)
        self._skip_history()
        self.began, start = self.env.clock.now(), time.monotonic()
        months = feed.months(source)[:count]
        for table in feed.WHOLE:
            self._deliver(table, source / table / f"{table}.csv", rows)
        batches = [months[:FIRST], *([month] for month in months[FIRST:])]
        for batch in batches:
            self._month(batch, source, rows, start)
        self.wall = time.monotonic() - start

    def _month(self, batch: list[str], source: Path, rows: dict[str, int], start: float) -> None:
        name = batch[0] if len(batch) == 1 else f"{batch[0]} to {batch[-1]}"
        began = time.monotonic()
        for month in batch:  # weather first: flights wait for it
            for table, file in reversed(feed.files_of(source, month).items()):
                self._deliver(table, file, rows)
        why = self._settle(name, start)
        self.months[name] = round(time.monotonic() - began, 1)
        if why:
            self.unsettled.append(f"{name} did not settle: {'; '.join(why)}")

    def _settle(self, name: str, start: float) -> list[str]:
        """Wait until nothing is open; return what still is when no news come any more."""
        give_up, calm, why = time.monotonic() + PATIENCE, 0, ["not looked at yet"]
        while calm < CALM and time.monotonic() < give_up:
            if self.stopped():
                raise TrimtabError("interrupted")
            time.sleep(POLL)
            if self._follow(start):
                give_up = time.monotonic() + PATIENCE
            why = unfinished(self.env, self.delivered) or self._in_airflow()
            calm = 0 if why else calm + 1
            self.status(name, self._running() or why[:2])
        return why

    def _follow(self, start: float) -> bool:
        news = self.env.ledger.events(after=self.seen)
        for event in news:
            self.seen = event.seq
            if event.kind == champion.KIND and self.first_champion is None:
                self.first_champion = round(time.monotonic() - start, 1)
            self.tell(event)
        return bool(news)

    def _skip_history(self) -> None:
        """A second demo in the same home tells only its own news."""
        self.seen = max((event.seq for event in self.env.ledger.events()), default=0)

    def _deliver(self, table: str, file: Path, rows: dict[str, int]) -> None:
        landing = self.env.landing(table)
        if not (landing / file.name).exists():
            feed.deliver(file, landing)
        self.delivered[table, file.name] = rows[file.name]

    def _in_airflow(self) -> list[str]:
        try:
            return [f"{dag} is running" for dag in self.airflow.busy()]
        except DependencyError as error:
            return [str(error)]

    def _running(self) -> list[str]:
        try:
            return self.airflow.running()
        except DependencyError:
            return []

"""Where the studies of a search live: in this process, or in a database that workers share."""

import contextlib
import functools
import logging
import threading
import warnings
from collections.abc import Iterator
from typing import Any, Protocol
from zlib import crc32

import optuna
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from trimtab.errors import DependencyError

log = logging.getLogger(__name__)
HEARTBEAT, GRACE = 10, 60  # seconds between two signs of life; without one for as long: dead
RETRIES = 1  # how often a trial whose worker died is tried again: it may be what killed it
_THREADS = threading.RLock()
FAILED = "failed"  # attribute of a trial tried again: the numbers of those that died


class Place(Protocol):
    """What a search needs of the place where its studies live."""

    @property
    def storage(self) -> Any:
        """Optuna's storage."""
        ...

    def lock(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Keep every other worker of this search from taking a trial meanwhile."""
        ...

    def ask(self, study: Any) -> Any:
        """Take the next trial of a study, and give its first sign of life."""
        ...

    def alive(self, trial: Any) -> contextlib.AbstractContextManager[None]:
        """Give signs of life while a trial runs."""
        ...

    def bury(self, study: Any) -> None:
        """Fail trials whose worker gives no sign of life, and queue them again."""
        ...


class Memory:
    """The studies of one process; they end with it."""

    def __init__(self) -> None:
        self.storage = optuna.storages.InMemoryStorage()

    def lock(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Nobody else can take a trial."""
        return contextlib.nullcontext()

    def ask(self, study: Any) -> Any:
        """Take the next trial of a study."""
        return study.ask()

    def alive(self, trial: Any) -> contextlib.AbstractContextManager[None]:
        """Nobody watches."""
        return contextlib.nullcontext()

    def bury(self, study: Any) -> None:
        """A worker that dies takes its studies along."""


class Shared:
    """Studies in a database, for as many workers as there are (SQLite: threads of one process)."""

    def __init__(self, url: str, *, heartbeat: int = HEARTBEAT, grace: int = GRACE) -> None:
        self.url, self.heartbeat, self.grace = url, heartbeat, grace

    @functools.cached_property
    def storage(self) -> Any:
        """Connect, and create the tables; two workers that start at once do it in turn."""
        with self.lock("schema"), warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.storages.RDBStorage(
                self.url,
                engine_kwargs={"pool_pre_ping": True},
                heartbeat_interval=self.heartbeat,
                grace_period=self.grace,
                heartbeat_stale_trial_callback=again,
            )

    @functools.cached_property
    def _engine(self) -> Engine:
        return create_engine(self.url, pool_pre_ping=True)

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a lock of the database; it goes when its holder dies."""
        if self._engine.dialect.name != "postgresql":
            with _THREADS:
                yield
            return
        number = crc32(f"trimtab-search:{name}".encode())
        with self._engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:id)"), {"id": number})
            yield

    def ask(self, study: Any) -> Any:
        """Take the next trial of a study, and give its first sign of life."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Heartbeat of storage")  # we give the signs
            trial = study.ask()
        self.storage.record_heartbeat(trial._trial_id)
        return trial

    @contextlib.contextmanager
    def alive(self, trial: Any) -> Iterator[None]:
        """Give signs of life while a trial runs."""
        stop = threading.Event()
        beat = threading.Thread(target=self._beat, args=(trial._trial_id, stop), daemon=True)
        beat.start()
        try:
            yield
        finally:
            stop.set()
            beat.join()

    def _beat(self, trial_id: int, stop: threading.Event) -> None:
        while not stop.wait(self.heartbeat):
            try:
                self.storage.record_heartbeat(trial_id)
            except Exception as error:  # the trial goes on; others may do it once more
                log.warning("no sign of life was given: %s", error)

    def bury(self, study: Any) -> None:
        """Fail trials whose worker gives no sign of life, and queue them again.

        Call it with the lock held: a running trial that was never begun is one whose worker died
        between two statements.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            optuna.storages.fail_stale_trials(study)
        running = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,))
        for trial in running:
            if "begun" not in trial.user_attrs:
                lost(study, trial)


def lost(study: Any, trial: Any) -> None:
    """Fail a running trial, whose work is lost, and queue it again."""
    try:
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    except ValueError:  # somebody else has failed it
        return
    again(study, trial)


def again(study: Any, trial: Any) -> None:
    """Queue the parameters of a trial that died once more."""
    died = [*trial.user_attrs.get(FAILED, []), trial.number]
    if len(died) > RETRIES:
        log.warning("trial %d died %d times and is not tried again", trial.number, len(died))
        return
    attributes = {FAILED: died}
    if "turn" in trial.user_attrs:
        attributes["turn"] = trial.user_attrs["turn"]
    fixed = trial.params or trial.system_attrs.get("fixed_params", {})
    study.enqueue_trial(dict(fixed), user_attrs=attributes)


@contextlib.contextmanager
def reachable() -> Iterator[None]:
    """Turn a database that does not answer into an error worth a retry.

    Raises:
        DependencyError: it does not.
    """
    try:
        yield
    except (optuna.exceptions.StorageInternalError, DBAPIError) as error:
        cause = error.__cause__ or error
        raise DependencyError(f"the studies' database does not answer: {cause}") from error

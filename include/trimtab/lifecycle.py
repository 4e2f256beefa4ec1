"""The whole life in one process: every stage, one after another, until nothing is new."""

import functools
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from trimtab.environment import Environment
from trimtab.errors import NotReadyError, TrimtabError
from trimtab.ledger import champion, versions
from trimtab.types import Record

log = logging.getLogger(__name__)
T = TypeVar("T")
Progress = Callable[[str, str, Record | None], None]  # stage, dataset or model, result when done
ROUNDS = 50  # a life that is never settled is a bug; say so instead of going on for ever


@dataclass
class Report:
    """What one run did. ``waiting`` holds what is not ready yet: no failure."""

    done: list[tuple[str, str, Record]] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing failed. A refused file or challenger is a normal outcome."""
        return not self.failed


def run(
    env: Environment,
    models: Sequence[str] | None = None,
    progress: Progress = lambda stage, subject, record: None,
    detail: Callable[[str], None] = lambda text: None,
) -> Report:
    """Handle whatever is new, of every dataset and of ``models`` (default: all).

    Running it again without news does nothing. A dataset or model that fails is reported and does
    not stop the others. ``detail`` is told how far a long stage is, such as the trials of a search.

    Raises:
        ConfigError: there is no such model, or its file is broken.
    """
    for name in models or ():
        env.project.model(name)
    life = _Life(env, progress, detail)
    for _ in range(ROUNDS):
        news = [life.dataset(name) for name in env.project.datasets]
        news += [life.model(name) for name in models or env.project.models]
        if not any(news):
            return life.report
    raise TrimtabError(f"still something new after {ROUNDS} rounds: {life.report.waiting}")


class _Life:
    """One run: the environment, who is told, and what happened so far."""

    def __init__(self, env: Environment, progress: Progress, detail: Callable[[str], None]) -> None:
        self.env, self.progress, self.detail, self.report = env, progress, detail, Report()

    def dataset(self, name: str) -> bool:
        """Take in every new file; return whether there was one."""
        return self._alone(f"dataset {name}", lambda: self._ingest(name))

    def model(self, name: str) -> bool:
        """Train when there is cause, score, monitor, act; return whether anything was new."""
        steps = (self._train, self._score, self._monitor, self._act, self._age)
        news = [self._alone(f"model {name}", lambda step=step: step(name)) for step in steps]  # type: ignore[misc]
        return any(news)

    def _ingest(self, dataset: str) -> bool:
        """Also finish what an earlier run that was killed left half way."""
        from trimtab.stages import backlog, ingest, publish, validate

        env, do = self.env, functools.partial(self._do, subject=dataset)
        new = do("discover", work=lambda: ingest.discover(env, dataset)) or []
        results: list[object] = [
            do("ingest", work=functools.partial(ingest.ingest, env, file)) for file in new
        ]
        for sha in backlog.unvalidated(env, dataset):
            work = functools.partial(validate.validate, env, dataset, sha)
            results.append(do("validate", work=work))
        if passed := backlog.unpublished(env, dataset):
            results.append(do("publish", work=lambda: publish.publish(env, dataset, passed)))
        return any(results)  # what is not ready is no news

    def _train(self, model: str) -> bool:
        from trimtab.stages import features, train

        env = self.env
        finished = self._finish(model)
        rows = self._do("features", model, lambda: features.build_features(env, model))
        if rows is None:
            return finished
        tell = functools.partial(self._tell, model)
        self._do("train", model, lambda: train.train(env, model, rows.key, progress=tell))
        self._finish(model)
        return True

    def _finish(self, model: str) -> bool:
        """Judge the newest version unless it was, and promote it when it may be."""
        from trimtab.stages import approve, evaluate, promote

        env, trained = self.env, self.env.ledger.latest("training", model)
        if trained is None:
            return False
        version = int(trained.payload["version"])
        if not versions.is_open(env.ledger, model, version):
            return False
        judged = versions.newest_verdict(env.ledger, model, version)
        verdict = judged or self._do(
            "evaluate", model, lambda: evaluate.evaluate(env, model, version)
        )
        if verdict is None or verdict.verdict != "PROMOTE":
            return verdict is not None
        answer = self._do("approve", model, lambda: approve.approve(env, model, version))
        if answer is None or not answer.approved:
            return judged is None
        return self._do("promote", model, lambda: promote.promote(env, model, version)) is not None

    def _tell(self, model: str, text: str) -> None:
        log.info("%s: %s", model, text)
        self.detail(f"{model}: {text}")

    def _score(self, model: str) -> bool:
        from trimtab.stages import score

        return bool(self._do("score", model, lambda: score.score(self.env, model)))

    def _monitor(self, model: str) -> bool:
        from trimtab.stages import monitor

        if champion.current(self.env.ledger, model) is None:
            return False
        return bool(self._do("monitor", model, lambda: monitor.monitor(self.env, model)))

    def _act(self, model: str) -> bool:
        from trimtab.stages import act

        return bool(self._do("act", model, lambda: act.act(self.env, model)))

    def _age(self, model: str) -> bool:
        """Measure how fast a new champion goes stale; last, for nothing waits for it."""
        from trimtab.stages import staleness

        env, now = self.env, champion.current(self.env.ledger, model)
        if now is not None and env.ledger.find("staleness", model, str(now.version)) is None:
            self._do("staleness", model, lambda: staleness.staleness(env, model, now.version))
        return False

    def _do(self, stage: str, subject: str, work: Callable[[], T]) -> T | None:
        """Do one stage: time it, tell about it, and turn 'not ready' into None."""
        began = time.monotonic()
        key = f"{subject}: {stage}"
        self.progress(stage, subject, None)
        try:
            result = work()
        except NotReadyError as waiting:
            self.report.waiting[key] = str(waiting)
            return None
        finally:
            spent = time.monotonic() - began
            self.report.seconds[stage] = self.report.seconds.get(stage, 0.0) + spent
        self.report.waiting.pop(key, None)
        for record in result if isinstance(result, list) else [result]:
            if stage != "discover" and isinstance(record, Record):
                self.report.done.append((stage, subject, record))
                self.progress(stage, subject, record)
        return result

    def _alone(self, who: str, work: Callable[[], bool]) -> bool:
        """Keep the failure of one dataset or model from the others."""
        if who in self.report.failed:
            return False
        try:
            return work()
        except Exception as error:  # one broken model must not stop the rest
            log.debug("%s failed", who, exc_info=True)
            known = isinstance(error, TrimtabError)
            self.report.failed[who] = str(error) if known else f"{type(error).__name__}: {error}"
            return False

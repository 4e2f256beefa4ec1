"""The page of a window, from what the ledger says at this moment; it is written again on news."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from trimtab.adapters.evidently import DriftPage
from trimtab.environment import Environment
from trimtab.errors import TrimtabError
from trimtab.ledger import datasets, versions
from trimtab.monitoring import looks, report
from trimtab.monitoring.detect import Comparison
from trimtab.monitoring.profile import ColumnProfile
from trimtab.monitoring.report import Link, Story
from trimtab.types import Candidate, Record, Scoring
from trimtab.watch import Acted, Incident, Observation, RetrainDecision, Triage

log = logging.getLogger(__name__)
_SHOWN = "pictures.json"
_ROOT = "../../../../"  # from a window's folder to the reports


class Pair(Record):
    """Both sides of the finding of this name."""

    finding: str
    reference: ColumnProfile
    current: ColumnProfile


class Shown(Record):
    """What the page needs beside the ledger, so that it can be written again without the rows."""

    pairs: tuple[Pair, ...] = ()
    evidently: str = ""
    evidently_file: str | None = None
    left_out: dict[str, str] = {}


def publish(
    env: Environment, seen: Observation, compared: Sequence[Comparison], evidently: DriftPage
) -> None:
    """Write page, pictures and JSON of a window that is not in the ledger yet."""
    pairs = [
        Pair(finding=each.finding.name, reference=each.reference, current=each.current)
        for each in compared
        if each.reference and each.current
    ]
    written = evidently.status == "written"
    shown = Shown(
        pairs=tuple(pairs),
        evidently=evidently.note or "a sample of {:,} and {:,} rows".format(*evidently.sample),
        evidently_file="evidently.html" if written else None,
        left_out=evidently.left_out,
    )
    place = _place(env, seen)
    report.write(shown.model_dump_json(), place / _SHOWN)
    report.write(json.dumps(seen.to_json(), indent=1), place / "observation.json")
    report.write(report.render(_story(env, seen, shown)), place / "index.html")


def tell(env: Environment, model: str, key: str) -> None:
    """Write the page of an observation again, with what was decided since.

    The decision is in the ledger already: a page that cannot be written does not stand in its way.
    """
    try:
        event = env.ledger.find("observation", model, key)
        if event is None:
            return
        seen = Observation.model_validate(event.payload)
        place = _place(env, seen)
        report.write(report.render(_story(env, seen, _read(place))), place / "index.html")
    except (TrimtabError, OSError, ValueError):
        log.exception("the page of %s, window %s, was not written again", model, key[:12])


def tell_last(env: Environment, model: str, kind: str) -> None:
    """Write the page of the newest entry of a kind: its writer may have been killed before."""
    if event := env.ledger.latest(kind, model):
        tell(env, model, event.key)


def _place(env: Environment, seen: Observation) -> Path:
    return env.reports / Path(seen.report or "").parent


def _story(env: Environment, seen: Observation, shown: Shown) -> Story:
    spec = env.project.model(seen.model)
    candidate = versions.candidate(env.ledger, seen.model, seen.version)
    told = _found(env, "triage", seen)
    decided = _found(env, "retrain_decision", seen)
    done = _found(env, "acted", seen)
    acted = Acted.model_validate(done) if done else None
    incident = _incident(env, acted)
    until = candidate.features.train_until
    history = _history(env, seen)
    window = next(each for each in history if each.sha256 == seen.sha256)
    pairs = (*_first(env, seen).pairs, *shown.pairs)
    return Story(
        observation=window,
        purpose=spec.purpose,
        compared=_compared(window, shown.model_copy(update={"pairs": pairs})),
        history=history,
        gate=versions.newest_verdict(env.ledger, seen.model, seen.version),
        trained_until=f"{until:%Y-%m-%d}" if until else "",
        evidently=shown.evidently,
        evidently_file=shown.evidently_file,
        left_out=shown.left_out,
        settings=spec.monitor,
        triage=Triage.model_validate(told) if told else None,
        retrain=RetrainDecision.model_validate(decided) if decided else None,
        acted=acted,
        incident=incident,
        resolved=bool(incident and _resolved(env, incident)),
        links=tuple(_links(env, seen, candidate)),
    )


def _compared(window: Observation, shown: Shown) -> list[Comparison]:
    pairs = {pair.finding: pair for pair in shown.pairs}
    sides = [(f, pairs.get(f.name)) for f in window.findings]
    return [Comparison(f, p.reference, p.current) if p else Comparison(f) for f, p in sides]


def _first(env: Environment, seen: Observation) -> Shown:
    """Pictures of the window's first look; a later one sees the labels only."""
    event = env.ledger.find("observation", seen.model, seen.sha256)
    if event is None or seen.labels_at is None:
        return Shown()
    return _read(_place(env, Observation.model_validate(event.payload)))


def _read(place: Path) -> Shown:
    file = place / _SHOWN
    return Shown.model_validate_json(file.read_text()) if file.exists() else Shown()


def _history(env: Environment, seen: Observation) -> list[Observation]:
    """Every window up to this look, each as it was known best by then."""
    found = []
    for event in env.ledger.events("observation", seen.model):
        if event.key == seen.key:
            break
        found.append(Observation.model_validate(event.payload))
    return looks.merged([*found, seen])


def _found(env: Environment, kind: str, seen: Observation) -> Mapping[str, Any] | None:
    event = env.ledger.find(kind, seen.model, seen.key)
    return event.payload if event else None


def _incident(env: Environment, acted: Acted | None) -> Incident | None:
    """The incident this window's cause opened or belongs to, with all its models."""
    if acted is None or acted.incident is None:
        return None
    events = env.ledger.events("incident")
    mine = [event.payload for event in events if event.payload["id"] == acted.incident]
    return Incident.model_validate(mine[-1]) if mine else None


def _resolved(env: Environment, incident: Incident) -> bool:
    return env.ledger.find("incident_resolved", incident.dataset, incident.id) is not None


def _links(env: Environment, seen: Observation, candidate: Candidate) -> Iterator[Link]:
    model, version = seen.model, seen.version
    folder = f"models/{model}/v{version}"
    for label, name in (("Gate page", "gate.html"), ("Model card", "card.html")):
        there = (env.reports / folder / name).exists()
        href = f"{_ROOT}{quote(f'{folder}/{name}')}" if there else None
        yield Link(label, f"{model} version {version}" + ("" if there else ": none"), href)
    if candidate.run_id:
        yield Link("MLflow", f"run {candidate.run_id}", env.run_page(candidate.run_id))
    if event := env.ledger.find("scoring", model, seen.sha256):
        yield _data(env, Scoring.model_validate(event.payload))


def _data(env: Environment, scoring: Scoring) -> Link:
    """The dataset version that was scored, and the page of its checks."""
    spec = env.project.model(scoring.model)
    dataset = spec.scored_on
    text = f"{dataset}@{scoring.dataset_version}"
    made = [v for v in datasets.versions(env.ledger, dataset) if v.sha256 == scoring.sha256]
    if made:
        text += f", made by {made[-1].name}"
    checked = env.ledger.find("validation", dataset, scoring.sha256)
    docs = checked.payload.get("docs") if checked else None
    return Link("Data version", text, f"{_ROOT}{quote(docs)}" if docs else None)

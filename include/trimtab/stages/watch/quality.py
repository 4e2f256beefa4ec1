"""Whether a scored file is whole: its columns by the version's rows, itself by earlier files."""

from collections.abc import Iterator

from trimtab.monitoring import quality, wholeness
from trimtab.monitoring.detect import Comparison
from trimtab.monitoring.quality import Delivery
from trimtab.monitoring.wholeness import Wholeness
from trimtab.stages.watch import reference
from trimtab.stages.watch.kept import kept, place
from trimtab.stages.watch.look import Look, kinds
from trimtab.types import Candidate, DatasetVersion, FileVerdict
from trimtab.watch import Finding


def whole(look: Look) -> list[Comparison]:
    """Judge columns, repeated rows, volume and freshness."""
    usual = usual_wholeness(look)
    seen = wholeness.measure(look.rows, usual)
    return [Comparison(f) for f in (*quality.columns(usual, seen, look.settings), *_file(look))]


def usual_wholeness(look: Look) -> Wholeness:
    """Return what was usual among the version's training rows; built once, then a file."""
    candidate = look.candidate
    path = place(look.env, candidate, "quality.json")
    return kept(path, Wholeness, lambda: _usual(look, candidate))


def _usual(look: Look, candidate: Candidate) -> Wholeness:
    features = candidate.features
    identity = [*features.features, *([look.time] if look.time else [])]
    rows = reference.rows(look.env, candidate, "train", identity).collect()
    time = look.time if look.time in rows.columns else None
    return wholeness.build(rows, kinds(features), time=time, identity=rows.columns)


def _file(look: Look) -> Iterator[Finding]:
    """Volume and freshness, by the files that were published before this one."""
    deliveries = _deliveries(look)
    if not deliveries:
        return
    *earlier, now = deliveries
    yield quality.volume(now, earlier, look.settings)
    yield from quality.freshness(now, earlier, look.settings)


def _deliveries(look: Look) -> list[Delivery]:
    """Every published file of the scored dataset up to this one, in that order."""
    env, dataset = look.env, look.spec.scored_on
    verdicts = {event.key: event.payload for event in env.ledger.events("file", dataset)}
    found = []
    for event in env.ledger.events("dataset_version", dataset):
        version = DatasetVersion.model_validate(event.payload)
        if version.sha256 not in verdicts:  # a revert, no file
            continue
        newest = FileVerdict.model_validate(verdicts[version.sha256]).newest
        found.append(Delivery(version.rows, newest, event.at))
        if version.sha256 == look.scoring.sha256:
            return found
    return []

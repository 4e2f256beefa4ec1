"""Whether everything that made a version is as it was: each difference by its name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.config import ModelSpec
from trimtab.data.identity import identity
from trimtab.environment import Environment
from trimtab.errors import DependencyError, TrimtabError
from trimtab.ledger.chain import digest
from trimtab.stages.provenance import definitions
from trimtab.training import machine, package, record, source
from trimtab.types import Candidate

_SHOWN = 12  # characters of a hash


@dataclass(frozen=True)
class Conditions:
    """``differences`` change numbers or may; ``notes`` have no part in them, or show in them."""

    differences: tuple[str, ...]
    notes: tuple[str, ...]


def compare(
    env: Environment, candidate: Candidate, made: dict[str, Any], spec: ModelSpec
) -> Conditions:
    """Compare a version's record with the ledger, the data and this machine, all of it.

    ``spec`` is the recorded model file.
    """
    differences = [
        *files(env, candidate),
        *_ledger(candidate, made, spec),
        *data(env, candidate, made),
        *_changed("library", made["libraries"], record.libraries()),
        *_changed("user code", made["code"]["modules"], source.modules(), hashed=True),
    ]
    return Conditions(tuple(differences), tuple(_notes(env, candidate, made)))


def files(env: Environment, candidate: Candidate) -> Iterator[str]:
    """Name every file of a version that is missing or other than the ledger says."""
    for name in package.changed(env.lake / candidate.uri, candidate.manifest):
        yield f"file {name} of the version is missing or not what the ledger says"


def _ledger(candidate: Candidate, made: dict[str, Any], spec: ModelSpec) -> Iterator[str]:
    """What the record says of itself, against the ledger."""
    yield from _changed("parameter", candidate.params, made["params"], then="ledger", now="record")
    facts = {"estimator": candidate.estimator, "configuration": candidate.config_hash}
    told = {"estimator": made["estimator"], "configuration": record.config_hash(spec)}
    yield from _changed("", facts, told, then="ledger", now="record")
    if made["seed"] != spec.train.seed:
        yield f"seed: record {made['seed']}, its configuration {spec.train.seed}"
    if made["features"] != candidate.features.to_json():
        yield "feature set: the record names other rows, columns or versions than the ledger"
    catalog = made["catalog"]
    if digest([catalog["datasets"], catalog["views"]]) != catalog["sha256"]:
        yield "definitions of datasets or feature views: not those that were recorded"


def data(env: Environment, candidate: Candidate, made: dict[str, Any]) -> Iterator[str]:
    """Name what is other than recorded in the dataset versions a version was made from.

    Reads every byte of them.

    Raises:
        DependencyError: the store does not answer.
    """
    for name, version in candidate.features.versions.items():
        where, then = f"dataset {name} version {version}", made.get("data", {}).get(name)
        if then is None:
            yield f"{where}: not in the record"
            continue
        try:
            now = identity(env, name, version)
        except DependencyError:
            raise  # worth another try: it says nothing about the data
        except (TrimtabError, OSError) as error:
            yield f"{where}: cannot be read any more ({error})"
            continue
        except Exception as error:  # whatever a broken table makes its library raise
            yield f"{where}: cannot be read any more ({type(error).__name__}: {error})"
            continue
        files = ({n: f["sha256"] for n, f in each["files"].items()} for each in (then, now))
        yield from _changed(f"{where}, file", *files, hashed=True)
        facts = ("rows", "newest", "content")
        yield from _changed(f"{where},", {f: then[f] for f in facts}, {f: now[f] for f in facts})


def _notes(env: Environment, candidate: Candidate, made: dict[str, Any]) -> Iterator[str]:
    here = machine.hardware()
    same = {name: made["hardware"].get(name) for name in machine.CLASS}
    yield from _changed("hardware", same, {name: here[name] for name in machine.CLASS})
    then, now = made["lock"], record.lock(env.project.folder)
    if then != now:
        told = [f"{each['name']} {each['sha256'][:_SHOWN]}" for each in (then, now)]
        yield f"lock: {told[0]} then, {told[1]} now"
    others = set(record.LIBRARIES)
    before = {k: v for k, v in made["installed"]["versions"].items() if k not in others}
    after = {k: v for k, v in record.installed().items() if k not in others}
    yield from _changed("installed beside", before, after)
    code = source.code(env.project.folder)
    yield from _changed("", {"commit": made["code"]["commit"]}, {"commit": code.commit})
    if made["code"]["dirty"]:
        yield "the version was made from uncommitted code: no commit holds it"
    yield from _present(env, candidate, made)


def _present(env: Environment, candidate: Candidate, made: dict[str, Any]) -> Iterator[str]:
    """The present configuration is not used; that it has moved on is worth a word."""
    present = env.project.models.get(candidate.model)
    if present is None:
        yield "the model is not configured any more; the recorded configuration was used"
    elif record.config_hash(present) != candidate.config_hash:
        yield "the model's file has changed since; the recorded one was used"
    elif set(candidate.features.versions) <= set(env.project.datasets):
        now = definitions(env.project.catalog, present, candidate.features)
        if now["sha256"] != made["catalog"]["sha256"]:
            yield "files of its datasets or views have changed since; the recorded ones were used"


def _changed(
    what: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    then: str = "then",
    now: str = "now",
    hashed: bool = False,
) -> Iterator[str]:
    """Name every entry of two mappings that is not the same in both."""
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        if one != other:
            told = [_told(value, hashed=hashed) for value in (one, other)]
            yield f"{what} {name}: {then} {told[0]}, {now} {told[1]}".strip()


def _told(value: Any, *, hashed: bool) -> str:
    if value is None:
        return "nothing"
    return str(value)[:_SHOWN] if hashed else str(value)

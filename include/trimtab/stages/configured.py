"""Record the configuration a stage works by whenever it is another than before."""

from collections.abc import Mapping
from typing import Any

from trimtab.config.spec import Spec
from trimtab.environment import Environment
from trimtab.ledger.chain import digest, plain
from trimtab.training import source

CONFIG, CONTRACT = "config_change", "contract_change"
# Addresses may hold a password, and say nothing about a decision.
_ADDRESSES = {"ledger", "tracking", "studies", "online", "notify"}


def note_model(env: Environment, model: str) -> None:
    """Record a model's file, the datasets and views it names, and the environment's rules."""
    spec, catalog = env.project.model(model), env.project.catalog
    views = {use.view for use in spec.data.views}
    joined = {join.dataset for join in spec.data.join}
    viewed = {catalog.views[name].from_ for name in views if name in catalog.views}
    _note(env, CONFIG, model, spec)
    for name in sorted(views & set(catalog.views)):
        _note(env, CONFIG, f"view:{name}", catalog.views[name])
    for name in sorted({spec.data.from_, *joined, *viewed} & set(catalog.datasets)):
        note_dataset(env, name)
    place = env.project.environment
    _note(env, CONFIG, f"environment:{place.environment}", place, without=_ADDRESSES)


def note_dataset(env: Environment, dataset: str) -> None:
    """Record a dataset's contract."""
    _note(env, CONTRACT, dataset, env.project.dataset(dataset))


def _note(
    env: Environment, kind: str, subject: str, spec: Spec, without: set[str] | None = None
) -> None:
    now = plain(spec.model_dump(mode="json", by_alias=True, exclude=without))
    sha256 = digest(now)
    last = env.ledger.latest(kind, subject)
    if last and last.payload["sha256"] == sha256:
        return
    before = last.payload["config"] if last else None
    code = source.code(env.project.folder)
    entry = {
        "sha256": sha256,
        "before": last.payload["sha256"] if last else None,
        "changed": _differences(before, now) if before else {},
        "config": now,
        "commit": code.commit,
        "dirty": code.dirty,
    }
    env.ledger.append(kind, subject, f"{last.seq if last else 0}:{sha256}", entry)


def _differences(
    before: Mapping[str, Any], now: Mapping[str, Any], above: str = ""
) -> dict[str, list[Any]]:
    """Return dotted key -> [before, now] of everything that differs."""
    found: dict[str, list[Any]] = {}
    for name in sorted({*before, *now}):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            found |= _differences(old, new, f"{above}{name}.")
        elif old != new:
            found[f"{above}{name}"] = [old, new]
    return found

"""One upstream cause is one incident, however many models it alarms. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256

from trimtab.watch import Cause, Incident, Triage

# What comes with the data, so that models of one dataset have it together.
SHARED: tuple[Cause, ...] = ("upstream_fault", "label_delay")


def about(found: Triage, upstream: Mapping[str, str], main: str) -> Incident | None:
    """Return the incident a triage asks for, None when nobody needs to be told.

    Args:
        found: what a window's alarms mean.
        upstream: column -> the dataset it comes from.
        main: dataset of the model's rows.
    """
    if found.severity == "info" or found.action in ("nothing", "watch"):
        return None
    dataset = origin(found, upstream, main)
    scope = dataset if found.cause in SHARED else f"{dataset}:{found.model}"
    name = sha256(f"{scope}:{found.cause}:{found.key}".encode()).hexdigest()[:16]
    of = dataset if found.cause in SHARED else found.model
    return Incident(
        id=name,
        opened_by=found.model,
        dataset=dataset,
        cause=found.cause,
        severity=found.severity,
        title=f"{of}: {found.cause.replace('_', ' ')}",
        models=(found.model,),
        reason=found.reason,
    )


def joined(wanted: Incident, standing: Sequence[Incident]) -> Incident | None:
    """Return the open incident that has the same cause, with this model among its models."""
    for incident in standing:
        same = (incident.dataset, incident.cause) == (wanted.dataset, wanted.cause)
        if same and (wanted.cause in SHARED or wanted.opened_by in incident.models):
            models = dict.fromkeys((*incident.models, *wanted.models))
            return incident.model_copy(update={"models": tuple(models)})
    return None


def over(incident: Incident, newest: Mapping[str, Triage]) -> bool:
    """Whether no model of an incident has its cause any more.

    Args:
        incident: an open one.
        newest: model -> what its newest window means; a model without one is still waited for.
    """
    return all(
        model in newest and newest[model].cause != incident.cause for model in incident.models
    )


def origin(found: Triage, upstream: Mapping[str, str], main: str) -> str:
    """Return the dataset that most of the columns in evidence come from.

    Args:
        found: what a window's alarms mean.
        upstream: column -> the dataset it comes from.
        main: dataset of the model's rows.
    """
    told = [name.split(":", 1)[-1].split(" [")[0] for name in found.evidence]
    origins = Counter(_brought_by(each, upstream) or main for each in told)
    return origins.most_common(1)[0][0] if origins else main


def _brought_by(told: str, upstream: Mapping[str, str]) -> str | None:
    """The dataset of a column, after whose name a statistic may stand."""
    fits = [name for name in upstream if told == name or told.startswith(f"{name} ")]
    return upstream[max(fits, key=len)] if fits else None

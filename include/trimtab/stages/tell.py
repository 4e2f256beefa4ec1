"""Messages about windows: each thing once, to whom it concerns, and once more when it is over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trimtab.config import ModelSpec
from trimtab.environment import Environment
from trimtab.stages.incidents import Change
from trimtab.watch import Acted, Incident, Observation, Severity, Triage

_LOUDNESS: tuple[Severity, ...] = ("info", "warning", "error")


@dataclass(frozen=True)
class Links:
    """Addresses that messages lead to."""

    page: Callable[[str], str] = str  # a page under lake/reports -> its address
    run: str = ""

    def of(self, observation: Observation | None) -> dict[str, str]:
        """Addresses about one window."""
        found = {"run": self.run}
        if observation and observation.report:
            found["report"] = self.page(observation.report)
        return {name: address for name, address in found.items() if address}


def tell(
    env: Environment,
    spec: ModelSpec,
    observation: Observation | None,
    found: Triage,
    acted: Acted,
    change: Change,
    links: Links,
) -> Acted:
    """Send what is news; return the record with how loud it was."""
    addresses = links.of(observation)
    for ended in change.over:
        _resolved(env, ended, found, addresses)
    if not _news(env, found, acted, change):
        return acted
    title = f"{found.model} {found.partition}: {_words(found.cause)}: {_words(found.action)}"
    lines = [found.reason, f"{acted.outcome}: {acted.what}"]
    lines += [f"type: {acted.command}"] if acted.command else []
    facts: dict[str, Any] = {"links": addresses} if addresses else {}
    if change.incident:
        facts |= {"incident": change.incident.id, "dedup_key": change.incident.id}
    to = people(env, spec, change.incident)
    env.notifier.send(found.severity, title, "\n".join(lines), to=to, **facts)
    return acted.model_copy(update={"told": found.severity})


def people(env: Environment, spec: ModelSpec, incident: Incident | None) -> tuple[str, ...]:
    """Whom it concerns: the owner of the dataset when the fault is there, and the model's."""
    owners = [spec.owner]
    if incident and incident.cause in ("upstream_fault", "label_delay"):
        owners.insert(0, env.project.dataset(incident.dataset).owner)
    return tuple(dict.fromkeys(owners))


def _news(env: Environment, found: Triage, acted: Acted, change: Change) -> bool:
    """Whether it has not been said yet: a new incident, fault or action, or a louder one."""
    if change.incident is None:
        return found.cause not in ("nothing", "not_enough_data") and _begins(env, found)
    if change.new:
        return True
    before = [
        Acted.model_validate(event.payload)
        for event in env.ledger.events("acted", found.model)
        if event.payload["incident"] == change.incident.id
    ]
    told = [each for each in before if each.told]
    if found.cause == "upstream_fault" and not _heard(env, told) & {*found.evidence}:
        return True
    loudest = max((_LOUDNESS.index(each.told) for each in told if each.told), default=-1)
    if acted.outcome == "refused":  # that a guard speaks again is none
        said = acted.action in {each.action for each in told}
    else:
        said = (acted.action, acted.outcome) in {(each.action, each.outcome) for each in told}
    return not said or _LOUDNESS.index(found.severity) > loudest


def _heard(env: Environment, told: list[Acted]) -> set[str]:
    """What was found in the windows that people have been told of."""
    past = [env.ledger.find("triage", each.model, each.key) for each in told]
    return {name for event in past if event for name in event.payload["evidence"]}


def _begins(env: Environment, found: Triage) -> bool:
    """Whether the window before had another cause."""
    past = env.ledger.events("triage", found.model)
    mine = next(i for i, event in enumerate(past) if event.key == found.key)
    return mine == 0 or past[mine - 1].payload["cause"] != found.cause


def _resolved(env: Environment, ended: Incident, found: Triage, addresses: dict[str, str]) -> None:
    spec = env.project.model(found.model)
    env.notifier.send(
        "info",
        f"resolved: {ended.title}",
        f"{', '.join(ended.models)}: over since {found.partition}. It was: {ended.reason}",
        to=people(env, spec, ended),
        links=addresses,
        incident=ended.id,
        dedup_key=ended.id,
        opened=ended.severity,
        resolved=True,
    )


def _words(name: str) -> str:
    return name.replace("_", " ")

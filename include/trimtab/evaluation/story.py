"""What a verdict means, in sentences: for people who read no tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trimtab.config.model import Approve, ModelSpec
from trimtab.config.spec import format_duration
from trimtab.evaluation import words
from trimtab.types import Approval, Candidate, Champion, GateVerdict, Rule

Tone = Literal["good", "wait", "bad", "none"]
HEADLINES = {
    "PROMOTE": "Fit to serve",
    "HOLD": "Not decided yet",
    "REJECT": "Not fit to serve",
}
_SECTIONS = {
    "rows": "The rows it is judged on",
    "quality": "Quality",
    "slices": "Slices",
    "fairness": "Fairness",
    "robustness": "Robustness",
    "behaviour": "Behaviour",
    "operation": "Package, size and speed",
    "record": "Record and papers",
}


@dataclass(frozen=True)
class Link:
    """Where a reader can look something up."""

    label: str
    text: str
    href: str | None = None


@dataclass(frozen=True)
class Standing:
    """What is known beside the verdict when its page is written (and later written again)."""

    approval: Approval | None = None
    promotion: Champion | None = None  # the change that made the version champion
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Step:
    """One station on the way to serving."""

    name: str
    text: str
    tone: Tone


def summary(verdict: GateVerdict) -> str:
    """Say in two or three sentences what was decided, and what it means for the service."""
    deciding = [rule for rule in verdict.rules if rule.severity == "block"]
    failed = sum(not rule.passed for rule in deciding)
    count = f"{len(deciding)} rule" + ("" if len(deciding) == 1 else "s")
    match verdict.verdict:
        case "PROMOTE":
            fit = f"Version {verdict.version} is fit to serve: it passes all {count}"
            return f"{fit}{_compared(verdict)}."
        case "HOLD":
            told = f"It is not decided yet: {failed} of {count} cannot be answered so far."
            return f"{told}{_needed(verdict.labels_needed)} {_stays(verdict.champion)}"
    told = f"Version {verdict.version} is not fit to serve: {failed} of {count} refuse it."
    return f"{told} {_stays(verdict.champion)}"


def promotion(history: Sequence[Champion], version: int) -> Champion | None:
    """The last change that made a version champion."""
    return next((change for change in reversed(history) if change.version == version), None)


def warnings(verdict: GateVerdict) -> list[str]:
    """What was found and decides nothing."""
    return [r.reason for r in verdict.rules if not r.passed and r.severity == "warn"]


def outcome(rule: Rule) -> tuple[str, str]:
    """A rule's outcome as a class of the page and a word with a sign."""
    if rule.passed:
        return "pass", "✓ passes"
    if rule.severity == "warn":
        return "warn", "! warns"
    return ("hold", "◦ holds") if rule.decides == "hold" else ("reject", "✗ refuses")


def sections(rules: Sequence[Rule]) -> list[tuple[str, list[Rule]]]:
    """The rules by what they are about, in the order of the page; empty ones are left out."""
    found = [(title, [r for r in rules if r.about == about]) for about, title in _SECTIONS.items()]
    return [(title, of) for title, of in found if of]


def steps(
    verdict: GateVerdict, spec: ModelSpec, candidate: Candidate, standing: Standing
) -> tuple[Step, ...]:
    """The way of a version: trained, judged, approved, serving."""
    tones: dict[str, Tone] = {"PROMOTE": "good", "HOLD": "wait", "REJECT": "bad"}
    trained = f"{candidate.estimator} on {candidate.features.train_rows:,} rows"
    return (
        Step("Trained", trained, "good"),
        Step("Judged", HEADLINES[verdict.verdict], tones[verdict.verdict]),
        Step("Approved", *_approved(verdict, spec.approve, standing.approval)),
        Step("Serving", *_serving(verdict, standing)),
    )


def _compared(verdict: GateVerdict) -> str:
    if verdict.champion is None or verdict.champion_value is None:
        return ""
    return (
        f", and reaches {words.metric(verdict.primary)} {words.number(verdict.value)} where "
        f"champion version {verdict.champion} reaches {words.number(verdict.champion_value)} on "
        "the same rows"
    )


def _needed(labels: int | None) -> str:
    return "" if labels is None else f" About {labels:,} more labelled rows would decide it."


def _stays(champion: int | None) -> str:
    return f"Version {champion} keeps serving." if champion else "Nothing serves so far."


def _approved(verdict: GateVerdict, asked: Approve, answer: Approval | None) -> tuple[str, Tone]:
    if answer:
        people = answer.actor + (f" and {answer.seconded}" if answer.seconded else "")
        by = "by the model file" if answer.actor == "auto" else f"by {people}"
        why = f": {answer.reason}" if answer.reason and answer.actor != "auto" else ""
        return f"{'Yes' if answer.approved else 'No'}, {by}{why}", _tone(answer)
    if verdict.verdict != "PROMOTE":
        return "Nobody is asked", "none"
    if asked.mode == "auto":
        return "By the model file (approve: auto)", "wait"
    who = "two different people" if asked.mode == "four_eyes" else "a person"
    listed = " or ".join((*asked.users, *(f"a member of {group}" for group in asked.groups)))
    among = f" ({listed})" if listed else ""
    patience = format_duration(asked.timeout)
    return f"Waits for {who}{among}; no answer within {patience} is a no", "wait"


def _tone(answer: Approval) -> Tone:
    return "good" if answer.approved else "bad"


def _serving(verdict: GateVerdict, standing: Standing) -> tuple[str, Tone]:
    if now := standing.promotion:
        before = f", after version {now.previous}" if now.previous else ""
        return f"Became champion (generation {now.generation}{before})", "good"
    refused = standing.approval is not None and not standing.approval.approved
    if verdict.verdict == "PROMOTE" and not refused:
        return "Not yet", "wait"
    return _stays(verdict.champion).rstrip("."), "none"

"""Annex IV, headings 3 to 9: how the system is watched, controlled and changed."""

from trimtab.evaluation.papers.annex.answer import (
    Answer,
    Clause,
    Heading,
    missing,
    not_applicable,
    pointer,
    value,
    words,
)
from trimtab.evaluation.papers.facts import Facts

_STANDARDS = (
    "No harmonised standard is claimed. Forms that are followed: CycloneDX 1.6 (software),"
    " OpenLineage 2 (lineage), JSON Schema (configuration), SHA-256 (integrity)."
)
_CONFORMITY = (
    "a use that is high-risk (Article 6) needs the provider's signed declaration (Article 47);"
    " keep it beside this dossier"
)
_RISKS = (
    {"risk": "wrong or late data", "measure": "contract, quarantine", "in": "data_sheet.json"},
    {"risk": "the answer leaks into a feature", "measure": "rule of the gate", "in": "gate.json"},
    {"risk": "worse than what serves", "measure": "paired comparison", "in": "gate.json"},
    {"risk": "bad for a group", "measure": "slices, fairness", "in": "slices.json"},
    {"risk": "the world changes", "measure": "monitoring", "in": "monitoring_plan.json"},
    {"risk": "nobody decided", "measure": "approval", "in": "approvals.json"},
    {"risk": "changed files", "measure": "hashes of the ledger", "in": "manifest.json"},
    {"risk": "harm of a bad version", "measure": "rollback", "in": "monitoring_plan.json"},
)


def _accuracy(facts: Facts) -> Answer:
    if facts.verdict is None:
        return missing("the version has not been judged")
    return pointer("metrics.json", "slices.json")


def _appropriate(facts: Facts) -> Answer:
    why = {
        "binary": "It ranks or weighs probabilities of the positive class, which is what is used.",
        "multiclass": "It counts how often the most likely class is the right one.",
        "regression": "It measures how far predictions are from what happened.",
    }[facts.candidate.features.task]
    return value(
        f"{facts.primary} decides. {why} It is read beside a constant guess and a linear model on "
        "the same rows, with an interval, and every other metric of the task is reported."
    )


MONITORING = Heading(
    "3",
    "Monitoring, functioning and control of the AI system",
    (
        Clause("3.1", "accuracy overall and for groups", _accuracy),
        Clause(
            "3.2",
            "limitations, unintended outcomes and sources of risk",
            lambda f: words(f.spec.limits, "limits"),
        ),
        Clause(
            "3.3", "human oversight that is needed", lambda f: words(f.spec.oversight, "oversight")
        ),
        Clause("3.4", "specifications of input data", lambda f: pointer("record.json#/schema")),
    ),
)
METRICS = Heading(
    "4",
    "Appropriateness of the performance metrics",
    (Clause("4", "why these metrics", _appropriate),),
)
RISKS = Heading(
    "5",
    "Risk management system",
    (Clause("5", "technical risks and what is done about them", lambda f: value(list(_RISKS))),),
)
CHANGES = Heading(
    "6",
    "Changes through the lifecycle",
    (
        Clause(
            "6",
            "versions that served, and why each followed the last",
            lambda f: (
                pointer("history.json")
                if f.history
                else not_applicable("No version of this model has served yet.")
            ),
        ),
    ),
)
STANDARDS = Heading(
    "7", "Standards applied", (Clause("7", "standards", lambda f: value(_STANDARDS)),)
)
CONFORMITY = Heading(
    "8",
    "EU declaration of conformity",
    (Clause("8", "copy of the declaration", lambda f: missing(_CONFORMITY)),),
)
POST_MARKET = Heading(
    "9",
    "Performance in the post-market phase",
    (
        Clause("9.1", "monitoring system", lambda f: pointer("monitoring_plan.json#/watched")),
        Clause("9.2", "monitoring plan", lambda f: pointer("monitoring_plan.json")),
    ),
)
HEADINGS = (MONITORING, METRICS, RISKS, CHANGES, STANDARDS, CONFORMITY, POST_MARKET)

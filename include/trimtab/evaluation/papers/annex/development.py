"""Annex IV, heading 2: how the system was made, and from what."""

from trimtab.evaluation.papers.annex.answer import (
    Answer,
    Clause,
    Heading,
    missing,
    not_applicable,
    pointer,
    value,
)
from trimtab.evaluation.papers.facts import Facts

_UNJUDGED = "the version has not been judged; `trimtab run` or its DAG evaluates it"
_ARCHITECTURE = (
    "Files are checked against a contract and published as dataset versions; a join as of each"
    " row's time makes feature rows; a search picks an estimator; the gate compares it with the"
    " champion on rows neither has seen; a person or the model file approves; scoring loads the"
    " champion only, after its hashes. Every step is an entry of a hash-chained ledger."
)
_SECURITY = (
    "The model is stored without code (skops) and loaded only when its SHA-256 is the ledger's and"
    " every type in it is on a fixed list; configuration is a closed schema; software is pinned."
)


def _methods(facts: Facts) -> Answer:
    families, trials = facts.recorded.train.families, facts.candidate.trials
    return value(
        f"{'1 trial' if trials == 1 else f'{trials} trials'} over {', '.join(families)}, ranked by "
        f"{facts.primary} on validation rows; the winner, {facts.candidate.estimator}, was fitted "
        f"again on all {facts.candidate.features.train_rows:,} training rows. lineage.json has "
        "every step."
    )


def _pretrained(facts: Facts) -> Answer:
    if function := facts.recorded.train.function:
        return missing(f"say whether the function {function} uses a system that was pre-trained")
    return not_applicable(
        "No pre-trained system was used: it was fitted from its training rows alone, with the "
        "libraries of environment/sbom.cdx.json."
    )


def _choices(facts: Facts) -> Answer:
    chosen = facts.recorded.model_dump(mode="json", by_alias=True, include={"split", "train"})
    return value({**chosen, "trade_offs": "config/models holds every setting, defaults included"})


def _optimised(facts: Facts) -> Answer:
    if facts.importance is None:
        return value({"metric": facts.primary, "parameters": facts.candidate.params})
    worth = [column.column for column in facts.importance.columns[:5]]
    return value(
        {"metric": facts.primary, "parameters": facts.candidate.params, "most_important": worth}
    )


def _output(facts: Facts) -> Answer:
    task = facts.candidate.features.task
    form = {
        "binary": "the probability of the positive class, 0 to 1",
        "multiclass": "a probability for each class",
        "regression": "a number in the unit of the target",
    }[task]
    return value({"output": form, "target": facts.recorded.target.column})


def _people(facts: Facts) -> Answer:
    approve = facts.spec.approve
    who = [*approve.users, *approve.groups] or "any named person"
    before = {
        "auto": "Nobody is asked before a version serves.",
        "manual": f"A person decides before a version serves: {who}.",
        "four_eyes": f"Two people decide before a version serves: {who}.",
    }[approve.mode]
    return value(
        f"{before} Alarms name what changed; one command gives the service back to an earlier "
        "version in seconds; a version that was taken back needs a new verdict."
    )


def _changes(facts: Facts) -> Answer:
    again = facts.spec.retrain
    return value(
        f"It is trained again for {', '.join(again.when) or 'nothing by itself'}, with the same "
        "settings; each result is a version of its own and passes the same gate."
    )


def _accuracy(facts: Facts) -> Answer:
    return pointer("metrics.json", "gate.json") if facts.verdict else missing(_UNJUDGED)


def _robustness(facts: Facts) -> Answer:
    if facts.verdict is None:
        return missing(_UNJUDGED)
    if facts.verdict.robustness:
        return pointer("robustness.json")
    return missing("its verdict holds no disturbed rows; judge it again")


def _discrimination(facts: Facts) -> Answer:
    """Groups that were measured; where no column is protected, that is said."""
    verdict = facts.verdict
    if verdict is None:
        return missing(_UNJUDGED)
    if verdict.fairness:
        return pointer("fairness.json", "slices.json")
    if verdict.slices:
        columns = ", ".join(dict.fromkeys(part["column"] for part in verdict.slices))
        return value(
            "No protected column is named under gate.fairness. Accuracy was measured for groups "
            f"by {columns}: slices.json."
        )
    return missing("name protected columns under gate.fairness.columns, or gate.slices")


def _logs(facts: Facts) -> Answer:
    if facts.verdict is None:
        return missing(_UNJUDGED)
    return pointer("gate.html", "gate.json#/rules", "approvals.json", "events.json")


HEADING = Heading(
    "2",
    "Elements of the AI system and process of its development",
    (
        Clause("2.a.1", "methods and steps of the development", _methods),
        Clause("2.a.2", "use of pre-trained systems or tools of third parties", _pretrained),
        Clause(
            "2.b.1",
            "general logic of the system and of the algorithms",
            lambda f: pointer("record.json#/estimator", "record.json#/schema"),
        ),
        Clause("2.b.2", "key design choices, assumptions and trade-offs", _choices),
        Clause("2.b.3", "what is optimised for, relevance of the parameters", _optimised),
        Clause("2.b.4", "expected output and its quality", _output),
        Clause("2.c.1", "system architecture", lambda f: value(_ARCHITECTURE)),
        Clause(
            "2.c.2", "computational resources used", lambda f: pointer("record.json#/resources")
        ),
        Clause(
            "2.d.1",
            "training data: provenance, scope and main characteristics",
            lambda f: pointer("data_sheet.json#/composition", "data_sheet.json#/collection"),
        ),
        Clause(
            "2.d.2",
            "how data were selected, labelled and cleaned",
            lambda f: pointer("data_sheet.json#/preprocessing"),
        ),
        Clause("2.e.1", "measures of human oversight", _people),
        Clause(
            "2.e.2",
            "technical measures to interpret the outputs",
            lambda f: pointer("importance.json") if f.importance else value("trimtab explain"),
        ),
        Clause("2.f", "changes that are determined beforehand", _changes),
        Clause(
            "2.g.1",
            "data used for validation and testing",
            lambda f: pointer(
                "data_sheet.json#/composition/rows", "data_sheet.json#/preprocessing/split"
            ),
        ),
        Clause("2.g.2", "metrics of accuracy", _accuracy),
        Clause("2.g.3", "metrics of robustness", _robustness),
        Clause("2.g.4", "potentially discriminatory impacts", _discrimination),
        Clause("2.g.5", "test logs and reports, dated and signed", _logs),
        Clause("2.h", "measures of cybersecurity", lambda f: value(_SECURITY)),
    ),
)

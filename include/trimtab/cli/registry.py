"""``trimtab status`` and ``approve``: who serves, and who decides about it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.answer import answering
from trimtab.cli.options import By, Config, Debug, Home, Json, Reason, open_project

if TYPE_CHECKING:
    from trimtab.environment import Environment


def status(
    config: Config = None, home: Home = None, json: Json = False, debug: Debug = False
) -> None:
    """Show every model's champion and every dataset's state."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.cli.table import show_rows

        env = open_project(config, home)
        answer.document = {
            "models": [_model(env, name) for name in env.project.models],
            "datasets": [_dataset(env, name) for name in env.project.datasets],
            "problems": [str(problem) for problem in env.project.problems],
        }
        show_rows(answer, "Models", answer.document["models"])
        show_rows(answer, "Datasets", answer.document["datasets"])
        for problem in answer.document["problems"]:
            answer.say(problem)


def approve(
    model: str,
    version: int,
    reason: Reason,
    reject: Annotated[bool, typer.Option("--reject", help="Say no.")] = False,
    by: By = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Answer for a version that waits for people."""
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.errors import NotReadyError
        from trimtab.ledger import approvals
        from trimtab.stages import approve as stage

        env = open_project(config, home)
        said: dict[str, Any] = {"approved": not reject, "actor": by or env.actor, "reason": reason}
        try:
            given = stage.approve(env, model, version, **said)
        except NotReadyError as waits:
            if approvals.first_yes(env.ledger, model, version) is None:
                raise
            answer.document = {"model": model, "version": version, **said, "waits": str(waits)}
            answer.say(str(waits))
            return
        answer.document = given.to_json()
        word = "approved" if given.approved else "rejected"
        who = " and ".join(filter(None, (given.actor, given.seconded)))
        answer.say(f"{model} v{version} {word} by {who}: {given.reason}")


def _model(env: "Environment", name: str) -> dict[str, Any]:
    from trimtab.ledger import champion

    ledger, now = env.ledger, champion.current(env.ledger, name)
    gates = [e.payload for e in ledger.events("gate", name)]
    mine = [g for g in gates if now and g["version"] == now.version]
    asked = {e.key for e in ledger.events("retrain_request", name)}
    closed = {e.key for e in ledger.events("retrain_closed", name)}
    seen = ledger.latest("observation", name)
    return {
        "model": name,
        "champion": now.version if now else None,
        "since": now.since.isoformat() if now and now.since else None,
        "primary": mine[-1]["primary"] if mine else None,
        "value": mine[-1]["value"] if mine else None,
        "interval": mine[-1]["interval"] if mine else None,
        "versions": len(ledger.events("training", name)),
        "open_requests": sorted(asked - closed),
        "waits_for": _waits_for(env, name),
        "last_observation": seen.payload["summary"] or seen.payload["partition"] if seen else None,
    }


def _waits_for(env: "Environment", name: str) -> str | None:
    """The newest question nobody has answered yet."""
    from trimtab.ledger import approvals
    from trimtab.stages import ask

    if not (open_ := approvals.unanswered(env.ledger, name)):
        return None
    asked = open_[-1]
    who = "any person" if asked.people is None else ", ".join(ask.left(env, asked))
    return f"v{asked.version}: {who} until {asked.until:%Y-%m-%d %H:%M} UTC"


def _dataset(env: "Environment", name: str) -> dict[str, Any]:
    event = env.ledger.latest("dataset_version", name)
    version = event.payload if event else {}
    files = [e.payload for e in env.ledger.events("file", name)]
    return {
        "dataset": name,
        "version": version.get("version"),
        "rows": version.get("total_rows", 0),
        "newest": version.get("newest"),
        "files": len(files),
        "rejected_files": sum(file["verdict"] == "rejected" for file in files),
        "quarantined_rows": sum(sum(file["quarantined"].values()) for file in files),
    }

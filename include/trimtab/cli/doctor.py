"""``trimtab doctor``: are the configured places fit for work?"""

from trimtab.cli.answer import answering
from trimtab.cli.options import Config, Debug, Home, Json, config_folder, home_folder

_STYLES = {"ok": "green", "warn": "yellow", "refused": "bold red"}


def doctor(
    config: Config = None, home: Home = None, json: Json = False, debug: Debug = False
) -> None:
    """Probe ledger, store, MLflow, disks, libraries and sources; say what is wrong and its cure.

    Exit code 1 when something is refused: a store that overwrites, wrong credentials, no space.
    """
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.platform.doctor import examine

        found = []
        for finding in examine(home_folder(home), config_folder(config)):
            found.append(finding.to_json())
            cure = f" Cure: {finding.cure}." if finding.cure else ""
            line = f"{finding.status:8} {finding.what}: {finding.text}.{cure}"
            answer.say(line, style=_STYLES[finding.status])
        refused = [item["what"] for item in found if item["status"] == "refused"]
        answer.document = {"ok": not refused, "findings": found}
        if refused:
            answer.refuse(f"refused: {', '.join(refused)}", kind="doctor")

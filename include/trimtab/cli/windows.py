"""The part of ``trimtab monitor MODEL``: what was seen since when, and what was made of it."""

from typing import TYPE_CHECKING, Any

from trimtab.cli.answer import Answer

if TYPE_CHECKING:
    from trimtab.environment import Environment
    from trimtab.stages.watch.told import Told, Window
    from trimtab.watch import Observation, Triage

_NAMED = 4  # findings that are named in one line


def show(answer: Answer, env: "Environment", model: str, since: str | None) -> None:
    """Print a line for each window, the newest verdict and how the alarms stand."""
    from trimtab.cli.table import show_rows
    from trimtab.stages.watch.told import told

    found = told(env, model, since)
    answer.document = found.to_json()
    show_rows(answer, f"{model}: what monitoring saw", [_line(each) for each in found.windows])
    _verdict(answer, found)


def _line(window: "Window") -> dict[str, Any]:
    seen, triage, retrain = window.observation, window.triage, window.retrain
    later = f" (labels at {seen.labels_at})" if seen.labels_at is not None else ""
    return {
        "window": seen.partition + later,
        "version": f"v{seen.version}",
        "rows": f"{seen.rows:,}",
        "labels": f"{seen.labelled / seen.rows:.0%}" if seen.rows else "-",
        "performance": seen.performance,
        "estimated": _estimated(seen),
        "moved": _moved(seen),
        "alarm": [alarm.signal for alarm in seen.alarm],
        "verdict": _means(triage),
        "retrain": ("yes" if retrain.retrain else "no") if retrain else None,
    }


def _means(triage: "Triage | None") -> str | None:
    if triage is None:
        return None
    quiet = triage.cause == "nothing" and triage.action == "nothing"
    return "quiet" if quiet else f"{triage.action}: {triage.cause}".replace("_", " ")


def _estimated(seen: "Observation") -> float | None:
    found = (f.value for f in seen.findings if f.signal == "estimated" and f.slice is None)
    return next(found, None)


def _moved(seen: "Observation") -> str:
    judged = [f for f in seen.findings if f.status in ("ok", "moved")]
    moved = [f for f in judged if f.status == "moved"]
    if not judged:
        return "nothing could be judged"
    names = ", ".join(f.name for f in moved[:_NAMED])
    return f"{len(moved)} of {len(judged)}" + (f": {names}" if names else "")


def _verdict(answer: Answer, found: "Told") -> None:
    last = found.windows[-1]
    text = last.triage.reason if last.triage else last.observation.summary
    answer.say(f"{last.observation.partition}: {text}", style="bold")
    if last.acted and last.acted.command:
        answer.say(f"to do: {last.acted.command}")
    began = "; ".join(found.alarms) or "none"
    answer.say(f"alarms in the budget's time: {began} ({found.max_false_alarms} may be false)")
    if last.page:
        answer.say(f"page: {last.page}")

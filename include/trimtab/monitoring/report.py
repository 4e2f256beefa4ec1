"""One page for people: the verdict first, then what it rests on. Needs no network to look at."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from trimtab.monitoring import charts
from trimtab.monitoring.detect import Comparison
from trimtab.types import GateVerdict
from trimtab.watch import Observation

SHOWN = 9
_STATUS = {
    "ok": ("ok", "good"),
    "moved": ("moved", "warn"),
    "not_enough_data": ("not enough data", "odd"),
    "not_computable": ("not computable", "odd"),
}


@dataclass(frozen=True)
class Story:
    """Everything the page tells. ``history`` is every observation so far, this one last."""

    observation: Observation
    purpose: str
    compared: Sequence[Comparison]  # with the judged findings
    history: Sequence[Observation]
    gate: GateVerdict | None = None
    trained_until: str = ""
    evidently: str = ""  # what became of the Evidently page, when it was not written
    evidently_file: str | None = None
    left_out: dict[str, str] = field(default_factory=dict)


def render(story: Story) -> str:
    """Return the HTML text; whatever came out of the data is escaped."""
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    data = [c for c in story.compared if c.finding.signal == "data"]
    prediction = next((c for c in story.compared if c.finding.signal == "prediction"), None)
    performance = next(
        (c.finding for c in story.compared if c.finding.signal == "performance"), None
    )
    largest = sorted(data, key=lambda comparison: comparison.size, reverse=True)
    moved = [c for c in largest if c.size > 0][:SHOWN]
    return pages.get_template("monitor.html").render(
        story=story,
        seen=story.observation,
        verdict=_verdict(story.observation),
        pictures=[(c.finding, charts.histogram(c)) for c in moved],
        prediction=prediction,
        answers=charts.histogram(prediction) if prediction else None,
        data=data,
        performance=performance,
        line=charts.performance(story.history),
        rows=[*([prediction] if prediction else []), *largest],
        status=_STATUS,
        width=charts.WIDTH,
        height=charts.HEIGHT,
        base=charts.BASE,
    )


def write(text: str, path: Path) -> None:
    """Write aside, then rename: a reader sees the whole page or the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def _verdict(seen: Observation) -> tuple[str, str]:
    """The headline and its colour."""
    alarms = {alarm.signal for alarm in seen.alarm}
    if "performance" in alarms:
        return "Alarm: the model does worse than its gate promised", "bad"
    if alarms:
        return "Alarm: the data have moved away from what the model learnt", "warn"
    judged = any(finding.status in ("ok", "moved") for finding in seen.findings)
    return ("No alarm", "good") if judged else ("Nothing could be judged", "odd")

"""One page for people: the verdict first, then what it rests on. Needs no network to look at."""

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from trimtab.config.monitor import Monitor
from trimtab.monitoring import charts, timeline, words
from trimtab.monitoring.charts import Dot, Histogram
from trimtab.monitoring.detect import Comparison
from trimtab.types import GateVerdict
from trimtab.watch import (
    Acted,
    Alarm,
    Finding,
    Incident,
    Observation,
    RetrainDecision,
    Signal,
    Triage,
)

SHOWN = 12  # pictures of columns
_ORDER: tuple[Signal, ...] = (  # what a person wants to hear first
    "quality", "service", "kpi", "concept", "performance", "calibration", "fairness",
    "estimated", "data", "joint", "prediction", "attribution",
)  # fmt: skip


@dataclass(frozen=True)
class Link:
    """Where something is, relative to the page; without an address it is only named."""

    label: str
    text: str
    href: str | None = None


@dataclass(frozen=True)
class Story:
    """Everything the page tells. ``history`` is every window so far, this one last."""

    observation: Observation
    purpose: str
    compared: Sequence[Comparison]  # with the judged findings
    history: Sequence[Observation]
    gate: GateVerdict | None = None
    trained_until: str = ""
    evidently: str = ""  # what became of the Evidently page
    evidently_file: str | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    settings: Monitor = field(default_factory=Monitor)
    triage: Triage | None = None
    retrain: RetrainDecision | None = None
    acted: Acted | None = None
    incident: Incident | None = None
    resolved: bool = False  # the incident
    links: Sequence[Link] = ()


@dataclass(frozen=True)
class Change:
    """A finding that moved, or would have been told: how sure, since when."""

    finding: Finding
    alarm: Alarm | None

    @property
    def since(self) -> str:
        """In which window it began."""
        if self.alarm is None:
            return "this window; no alarm yet"
        return self.alarm.since

    @property
    def rank(self) -> tuple[bool, bool, int, float]:
        """Alarms first, all rows before parts of them, then by what it means, the surest first."""
        f = self.finding
        return self.alarm is None, f.slice is not None, _ORDER.index(f.signal), f.p_value or 0.0


@dataclass(frozen=True)
class Picture:
    """One small multiple."""

    finding: Finding
    bars: Histogram


@dataclass(frozen=True)
class Lines:
    """Findings of one unit on one axis."""

    title: str
    text: str
    dots: list[Dot]


def render(story: Story) -> str:
    """Return the HTML text; whatever came out of the data is escaped."""
    seen = story.observation
    title, badge, tone = words.headline(seen, story.triage)
    performance = _first(seen.findings, "performance")
    return (
        _pages()
        .get_template("monitor.html")
        .render(
            story=story,
            seen=seen,
            triage=story.triage,
            title=title,
            badge=badge,
            tone=tone,
            advice=words.advice(story.triage) if story.triage else "",
            changes=changes(seen),
            performance=performance,
            estimated=_first(seen.findings, "estimated"),
            promised=story.gate.value if story.gate else None,
            line=timeline.performance(story.history),
            box=timeline,
            grid=timeline.grid(story.history),
            spent=timeline.spent(story.history, story.settings),
            pictures=pictures(story.compared),
            lines=lines(seen.findings),
            groups=_groups(seen.findings),
            status=words.STATUS,
            width=charts.WIDTH,
            height=charts.HEIGHT,
            base=charts.BASE,
        )
    )


def changes(seen: Observation) -> list[Change]:
    """What moved, most telling first."""
    alarms = {alarm.signal: alarm for alarm in seen.alarm}
    moved = [Change(f, alarms.get(f.signal)) for f in seen.findings if f.status == "moved"]
    return sorted(moved, key=lambda change: change.rank)


def pictures(compared: Sequence[Comparison]) -> list[Picture]:
    """Small multiples: the answers, then columns, what moved first and then what is farthest."""
    found = [
        Picture(c.finding, bars)
        for c in sorted(compared, key=_rank)
        if c.finding.signal in ("data", "prediction")
        and (c.finding.slice is None or c.finding.status == "moved")
        and (bars := charts.histogram(c))
    ]
    return found[:SHOWN]


def lines(findings: Sequence[Finding]) -> list[Lines]:
    """What features the answers rest on, groups, parts: one plot for each that was looked at."""
    shares = [f for f in findings if f.signal == "attribution" and f.statistic == "share"]
    gaps = [f for f in findings if f.signal == "fairness"]
    parts = [f for f in findings if f.signal == "performance" and f.slice]
    metric = parts[0].statistic if parts else ""
    whole = [part.model_copy(update={"column": part.slice, "slice": None}) for part in parts]
    found = [
        Lines("What the answers rest on", "Share of each feature in all contributions.",
              charts.dots(sorted(shares, key=lambda f: -(f.expected or 0.0)))),
        Lines("Fairness", "How far the groups of a protected column lie apart (gate.fairness).",
              charts.dots(gaps)),
        Lines("Parts of the rows", f"{metric} in each; higher is better.", charts.dots(whole)),
    ]  # fmt: skip
    return [each for each in found if each.dots]


def write(text: str, path: Path) -> None:
    """Write aside, then rename: a reader sees the whole page or the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def _rank(compared: Comparison) -> tuple[bool, bool, bool, float, float]:
    """The answers, then whole columns, then parts; what moved, what is surest, what is farthest."""
    finding = compared.finding
    apart = -(finding.value or 0.0)
    chance = 1.0 if finding.p_value is None else finding.p_value
    part, calm = finding.slice is not None, finding.status != "moved"
    return finding.signal != "prediction", part, calm, chance, apart


def _first(findings: Sequence[Finding], signal: Signal) -> Finding | None:
    """The one about all rows and no other version."""
    mine = (f for f in findings if (f.signal, f.slice, f.against) == (signal, None, None))
    return next(mine, None)


def _groups(findings: Sequence[Finding]) -> list[tuple[str, list[Finding]]]:
    """Findings by signal, what moved first."""
    order = {"moved": 0, "ok": 1, "not_enough_data": 2, "not_computable": 3}
    ranked = sorted(findings, key=lambda f: (order[f.status], f.slice is not None))
    return [
        (title, mine)
        for signal, title in words.SIGNALS.items()
        if (mine := [f for f in ranked if f.signal == signal])
    ]


@functools.cache
def _pages() -> Environment:
    pages = Environment(
        loader=PackageLoader("trimtab.monitoring", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {
        "number": words.number,
        "chance": words.chance,
        "what": words.what,
        "signal": words.signal,
        "limit": words.limit,
    }
    return pages

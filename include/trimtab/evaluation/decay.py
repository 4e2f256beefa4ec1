"""The decay curve of a version: a page with its picture, and what it means in words."""

import io
from pathlib import Path
from typing import Any

from trimtab.evaluation import pages, words
from trimtab.types import Staleness


def path(model: str, version: int) -> str:
    """Where the page of a version is, relative to the reports."""
    return f"models/{model}/v{version}/staleness.html"


def picture_path(model: str, version: int) -> str:
    """Where the picture alone is, relative to the reports."""
    return f"models/{model}/v{version}/staleness.svg"


def write(reports: Path, found: Staleness) -> Path:
    """Write the picture and the page around it; return the page."""
    svg = picture(found)
    pages.write(reports / picture_path(found.model, found.version), svg)
    page = reports / path(found.model, found.version)
    inline = svg[svg.index("<svg") :]  # without the XML head
    pages.write(page, pages.render("staleness.html.j2", found=found, picture=inline))
    return page


def told(
    metric: str, margin: float, weeks: tuple[int, ...], losses: tuple[float, ...], limit: int | None
) -> str:
    """Say in words what the curve means."""
    name, allowed = words.metric(metric), words.number(margin)
    if limit is None:
        return (
            f"Up to {weeks[-1]} weeks old, a model does not lose more than the gate's margin of "
            f"{allowed} {name} to a fresh one; older ones were not measured."
        )
    at = min(weeks.index(limit) + 1, len(weeks) - 1)
    return (
        f"A model {weeks[at]} weeks old loses {words.number(losses[at])} {name} to a fresh one on "
        f"the same rows, more than the gate's margin of {allowed}: train again after {limit} "
        "weeks at the latest."
    )


def picture(found: Staleness) -> str:
    """Draw score against age, with the margin below fresh models, as SVG."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure  # not pyplot: no global state between stages

    with rc_context({"svg.hashsalt": "trimtab", "svg.fonttype": "none"}):
        figure = Figure(figsize=(7, 3.6), layout="constrained")
        FigureCanvasSVG(figure)
        _draw(figure.subplots(), found)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _draw(axis: Any, found: Staleness) -> None:
    axis.errorbar(found.weeks, found.scores, yerr=found.errors, marker="o", capsize=3)
    fresh = found.scores[0]
    axis.axhline(fresh - found.margin, color="grey", linestyle="--", linewidth=0.8)
    told = axis.annotate("fresh, less the gate's margin", (found.weeks[0], fresh - found.margin))
    told.set_bbox({"color": "white", "pad": 1})  # readable where a bar crosses it
    if found.max_age_weeks is not None:
        axis.axvline(found.max_age_weeks, color="tab:red", linewidth=0.8)
    title = f"{found.model} version {found.version}: score of an older model"
    axis.set(title=title, xlabel="weeks since training", ylabel=words.metric(found.metric))

"""What all pictures share: sheet, colours, and labels that fit."""

import io
from typing import Any

INK, SOFT, LINE = "#1b2430", "#5c6875", "#e3e7ec"
MAIN, OTHER, FAINT = "#1f5fbf", "#c2571a", "#9aa5b1"
CLASSES = (MAIN, OTHER, "#18794e", "#8a3ffc", "#b3261e", "#0f7c8a", "#9a6700", "#d02670")
_DPI = 110


def sheet(width: float, height: float, *parts: float) -> tuple[Any, Any]:
    """Return a figure and its axes: one, or one below the other in these proportions."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure  # not pyplot: no global state between stages

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    if not parts:
        return figure, figure.subplots()
    return figure, figure.subplots(len(parts), sharex=True, height_ratios=parts)


def dress(axis: Any, *, title: str = "", x: str = "", y: str = "", grid: str = "both") -> None:
    """Give an axis its labels and the look of the reports; the title stands at the left."""
    axis.set_title(title, loc="left", fontsize=11, color=INK)
    axis.set_xlabel(x, fontsize=9, color=SOFT)
    axis.set_ylabel(y, fontsize=9, color=SOFT)
    axis.tick_params(labelsize=9, colors=SOFT, length=0)
    for side in ("top", "right", "left", "bottom"):
        axis.spines[side].set_color(LINE)
    if grid != "none":
        axis.grid(visible=True, axis=grid, color=LINE)
    axis.set_axisbelow(True)


def legend(axis: Any, **place: Any) -> None:
    """Show the legend without a frame."""
    axis.legend(fontsize=9, frameon=False, labelcolor=INK, **place)


def short(text: object, most: int = 28) -> str:
    """A label that leaves room for the picture; names often differ at their ends."""
    told = str(text).replace("$", r"\$")  # else it begins a formula
    return told if len(told) <= most else f"{told[: most // 2]}…{told[-most // 2 + 1 :]}"


def png(figure: Any) -> bytes:
    """Return the finished picture."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    return buffer.getvalue()

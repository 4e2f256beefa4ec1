"""Whether more rows would help: the score against how many rows were learnt from."""

from collections.abc import Sequence

from trimtab.training.pictures.canvas import FAINT, MAIN, dress, legend, png, sheet


def curve(
    rows: Sequence[int], seen: Sequence[float], unseen: Sequence[float], metric: str
) -> bytes:
    """Draw the score on the rows learnt from, and on validation rows."""
    figure, axis = sheet(6.4, 4.4)
    axis.plot(rows, seen, color=FAINT, marker="o", markersize=4, label="rows it learnt from")
    axis.plot(rows, unseen, color=MAIN, marker="o", markersize=5, linewidth=2, label="unseen rows")
    for n, value in zip(rows, unseen, strict=True):
        axis.annotate(
            f"{value:.3g}", (n, value), xytext=(0, -14), textcoords="offset points",
            ha="center", fontsize=8.5, color=MAIN,
        )  # fmt: skip
    dress(axis, title="Would more rows help?", x="rows it learnt from", y=metric)
    axis.set_xscale("log", base=2)
    axis.set_xticks(rows, [f"{n:,}" for n in rows])
    axis.minorticks_off()
    axis.margins(x=0.08, y=0.15)
    legend(axis, loc="best")
    return png(figure)

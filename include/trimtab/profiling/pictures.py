"""Small pictures as SVG text. Every word in them is escaped; nothing comes from the network."""

from collections.abc import Sequence
from html import escape

from markupsafe import Markup

BLUE, PALE, AMBER, RED = "#1f5fbf", "#b9cdec", "#c2571a", "#b3261e"


def spark(counts: Sequence[tuple[str, int]], width: int = 150, height: int = 34) -> Markup:
    """Bars without an axis, for a line of a table; each tells its bin and count."""
    top = max((n for _, n in counts), default=0) or 1
    step = width / max(len(counts), 1)
    bars = [
        f'<rect x="{i * step:.1f}" y="{height - max(n / top * height, 1 if n else 0):.1f}" '
        f'width="{max(step - 1, 0.6):.1f}" height="{max(n / top * height, 1 if n else 0):.1f}">'
        f"<title>{escape(label)}: {n:,}</title></rect>"
        for i, (label, n) in enumerate(counts)
    ]
    return _svg(width, height, f'<g fill="{BLUE}">{"".join(bars)}</g>', "spark")


def columns(counts: Sequence[tuple[str, int]], marked: str | None = None) -> Markup:
    """A large histogram with its labels; the bar called ``marked`` stands out."""
    width, height, base = 860, 210, 172
    top, total = max((n for _, n in counts), default=0) or 1, sum(n for _, n in counts) or 1
    step = width / max(len(counts), 1)
    every = max(1, len(counts) // 10)
    parts = [_rule(0, width, base)]
    for i, (label, n) in enumerate(counts):
        high = n / top * (base - 24)
        x = i * step + step * 0.06
        tone = AMBER if label == marked else BLUE
        parts.append(
            f'<rect fill="{tone}" x="{x:.1f}" y="{base - high:.1f}" width="{step * 0.88:.1f}" '
            f'height="{high:.1f}"><title>{escape(label)}: {n:,} ({n / total:.1%})</title></rect>'
        )
        middle = i * step + step / 2
        if i % every == 0:
            parts.append(_text(middle, base + 18, _short(label, 14), "middle"))
        if len(counts) <= 12:
            parts.append(_text(middle, base - high - 6, f"{n / total:.1%}", "middle"))
    return _svg(width, height, "".join(parts))


def ranking(
    rows: Sequence[tuple[str, float, str, bool]], top: float = 1.0, low: float = 0
) -> Markup:
    """Horizontal bars: label, value, what is written beside it, and whether it stands out."""
    left, width, line = 210, 500, 24
    parts = []
    for i, (label, value, note, marked) in enumerate(rows):
        y = i * line + 4
        share = min(max((value - low) / ((top - low) or 1), 0.0), 1.0)
        parts.append(_text(left - 12, y + 13, _short(label, 28), "end", label))
        parts.append(
            f'<rect x="{left}" y="{y}" width="{max(share * width, 1):.1f}" height="16" rx="2" '
            f'fill="{RED if marked else BLUE}"/>'
        )
        parts.append(_text(left + share * width + 8, y + 13, note, "start"))
    return _svg(860, len(rows) * line + 8, "".join(parts))


def matrix(names: Sequence[str], values: Sequence[Sequence[float]]) -> Markup:
    """A square of correlations from -1 (amber) to 1 (blue)."""
    left, cell = 170, min(46, 640 // max(len(names), 1))
    parts = []
    for i, name in enumerate(names):
        y = i * cell + 8
        parts.append(_text(left - 8, y + cell / 2 + 4, _short(name, 23), "end", name))
        parts.append(
            _text(left + i * cell + cell / 2, len(names) * cell + 22, f"{i + 1}", "middle")
        )
        parts.append(
            _text(left - 8 + len(names) * cell + 14, y + cell / 2 + 4, f"{i + 1}", "start")
        )
        for j, value in enumerate(values[i]):
            title = f"{name} and {names[j]}: {value:+.2f}"
            parts.append(
                f'<rect x="{left + j * cell}" y="{y}" width="{cell - 1}" height="{cell - 1}" '
                f'fill="{BLUE if value >= 0 else AMBER}" fill-opacity="{abs(value):.2f}">'
                f"<title>{escape(title)}</title></rect>"
            )
            if cell >= 30 and i != j and abs(value) >= 0.1:
                tone = "#fff" if abs(value) > 0.6 else "#1b2430"
                x, at = left + j * cell + cell / 2, y + cell / 2 + 4
                parts.append(
                    f'<text x="{x}" y="{at}" text-anchor="middle" style="fill:{tone};'
                    f'font-size:10.5px">{value:.1f}</text>'
                )
    return _svg(860, len(names) * cell + 30, "".join(parts))


def course(values: Sequence[float | None], first: str, last: str) -> Markup:
    """One line over equal slices of the rows, with its lowest and highest value written."""
    width, height, left, base = 420, 130, 62, 102
    there = [v for v in values if v is not None]
    low, high = min(there, default=0.0), max(there, default=1.0)
    spread = (high - low) or abs(high) or 1.0

    def y(value: float) -> float:
        return base - 6 - (value - low) / spread * (base - 22)

    step = (width - left - 14) / max(len(values) - 1, 1)
    points = [(left + i * step, y(v), v) for i, v in enumerate(values) if v is not None]
    path = " ".join(f"{x:.1f},{at:.1f}" for x, at, _ in points)
    dots = [
        f'<circle cx="{x:.1f}" cy="{at:.1f}" r="3" fill="{BLUE}"><title>{v:.4g}</title></circle>'
        for x, at, v in points
    ]
    parts = [
        _rule(left, width, base),
        f'<polyline points="{path}" fill="none" stroke="{BLUE}" stroke-width="2"/>',
        *dots,
        _text(left - 8, y(high) + 4, f"{high:,.4g}", "end"),
        _text(left - 8, y(low) + 4, f"{low:,.4g}", "end") if spread and high != low else "",
        _text(left, base + 18, first, "start"),
        _text(width - 8, base + 18, last, "end"),
    ]
    return _svg(width, height, "".join(parts))


def grid(names: Sequence[str], patterns: Sequence[tuple[frozenset[str], int, float]]) -> Markup:
    """Which columns are missing together: one line per pattern, with its rows."""
    left, cell, line = 12, min(40, 600 // max(len(names), 1)), 22
    parts = []
    for i, (gone, rows, share) in enumerate(patterns):
        y = i * line + 6
        for j, name in enumerate(names):
            tone = RED if name in gone else "#e3e7ec"
            parts.append(
                f'<rect x="{left + j * cell}" y="{y}" width="{cell - 2}" height="{line - 4}" '
                f'fill="{tone}"><title>{escape(name)}</title></rect>'
            )
        told = f"{rows:,} rows ({share:.1%})" + ("" if gone else ", nothing missing")
        parts.append(_text(left + len(names) * cell + 12, y + 13, told, "start"))
    base = len(patterns) * line + 22
    for j, name in enumerate(names):
        x = left + j * cell + cell / 2
        parts.append(
            f'<text transform="translate({x + 4:.1f} {base - 8}) rotate(55)">'
            f"{escape(_short(name, 22))}</text>"
        )
    return _svg(860, base + 110, "".join(parts))


def _svg(width: float, height: float, inside: str, kind: str = "") -> Markup:
    return Markup(  # noqa: S704  every text in it went through escape
        f'<svg class="{kind}" viewBox="0 0 {width:g} {height:g}" role="img">{inside}</svg>'
    )


def _text(x: float, y: float, text: str, anchor: str, title: str = "") -> str:
    more = f"<title>{escape(title)}</title>" if title else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}{more}</text>'


def _rule(left: float, right: float, y: float) -> str:
    return f'<line x1="{left}" x2="{right}" y1="{y}" y2="{y}" stroke="#9aa5b1"/>'


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"

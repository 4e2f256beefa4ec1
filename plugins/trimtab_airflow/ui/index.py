"""The list of all pages: by dataset and model, newest first, by their titles."""

import functools
import html
import itertools
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

_LISTED = 500
_TITLE = re.compile(r"<title>([^<]+)</title>")
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1a2233; background: #f5f6f8; margin: 2rem; }
main { max-width: 60rem; margin: auto; }
section { background: #fff; border: 1px solid #dde1e8; border-radius: 8px; padding: .5rem 1.5rem; }
section, h1 { margin-bottom: 1rem; }
table { width: 100%; border-collapse: collapse; }
td { padding: .2rem 0; } td + td { text-align: right; color: #667; white-space: nowrap; }
"""


def listing(root: Path, base: str) -> str:
    """Return the page that lists the newest pages under ``root``, linked below ``base``."""
    found = sorted(root.rglob("*.html"), key=lambda file: file.stat().st_mtime, reverse=True)
    subject = functools.partial(_subject, root)
    newest = sorted(found[:_LISTED], key=subject)  # in each subject still newest first
    sections = [
        _section(root, base, name, files) for name, files in itertools.groupby(newest, key=subject)
    ]
    body = "\n".join(sections) or "<p>No stage has written a page yet.</p>"
    style = f"<meta charset='utf-8'><title>Reports</title><style>{_STYLE}</style>"
    return f"<!doctype html>{style}<main><h1>Reports</h1>{body}</main>"


def _subject(root: Path, file: Path) -> str:
    """Name the folder a page belongs to, such as ``models/flight_delay``."""
    return "/".join(file.relative_to(root).parts[:2])


def _section(root: Path, base: str, subject: str, files: Iterable[Path]) -> str:
    rows = "\n".join(_row(root, base, file) for file in files)
    return f"<section><h2>{html.escape(subject)}</h2><table>{rows}</table></section>"


def _row(root: Path, base: str, file: Path) -> str:
    path = html.escape(file.relative_to(root).as_posix())
    written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    link = f'<a href="{base}/{path}">{_title(root, file)}</a>'
    return f"<tr><td>{link}</td><td>{written:%Y-%m-%d %H:%M} UTC</td></tr>"


def _title(root: Path, file: Path) -> str:
    with file.open(encoding="utf-8", errors="replace") as text:
        title = _TITLE.search(text.read(4096))
    # a title in a page is HTML already; the library's own pages have none
    return title[1] if title else html.escape("/".join(file.relative_to(root).parts[2:]))

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
:root { color-scheme: light dark; --ink: #1a2233; --soft: #5a6478; --page: #f5f6f8; --card: #fff;
  --line: #dde1e8; --link: #1f5fbf; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ef; --soft: #9dabba; --page: #10151b;
  --card: #19212a; --line: #323c48; --link: #79aaf2; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
  margin: 2rem 1rem; }
main { max-width: 60rem; margin: auto; } a { color: var(--link); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: .5rem 1.5rem; }
section, h1 { margin-bottom: 1rem; }
table { width: 100%; border-collapse: collapse; }
td { padding: .2rem 0; overflow-wrap: anywhere; }
td + td { text-align: right; color: var(--soft); white-space: nowrap; padding-left: 1rem; }
@media (max-width: 600px) { td { display: block; } td + td { text-align: left; padding: 0; } }
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
    return _page("Reports", body)


def missing(path: str, base: str) -> str:
    """Return the page that says that there is none under ``path``."""
    name = f"<p>There is no page <code>{html.escape(path)}</code>. It was not written yet, or"
    return _page("No such report", f'{name} removed.</p><p><a href="{base}/">All reports</a></p>')


def _page(title: str, body: str) -> str:
    head = "<meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
    style = f"<title>{title}</title><style>{_STYLE}</style>"
    return f"<!doctype html>{head}{style}<main><h1>{title}</h1>{body}</main>"


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

"""The Data Docs page of one validation, readable without a network, and GX's JSON beside it."""

import html as markup
import json
import logging
import re
import uuid
from pathlib import Path
from typing import Any

from trimtab.adapters import gx
from trimtab.validation.verdict import Verdict

log = logging.getLogger(__name__)
RESULT = "validation.json"

# Stands in for the style sheets that Great Expectations' own page loads from six servers.
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h5, h6 { font-size: 1rem; margin: .3rem 0; }
.alert { background: #eef1f4; border-left: 4px solid #8795a1; margin-top: 1.2rem;
  padding: .5rem 1rem; }
table { border-collapse: collapse; margin: .4rem 0; width: 100%; }
td, th { border-bottom: 1px solid #dde2e6; padding: .3rem .6rem; text-align: left;
  vertical-align: top; word-break: break-word; }
.badge { background: #dde2e6; border-radius: .3rem; font-size: .9em; padding: .05rem .35rem; }
.text-success { color: #1a7f37; } .text-danger { color: #cf222e; } .text-warning { color: #9a6700; }
.fa-check-circle::before { content: "\\2713  passed"; }
.fa-times::before { content: "\\2717  failed"; }
.fa-exclamation-triangle::before { content: "\\26A0  could not run"; }
i { font-style: normal; font-weight: 600; white-space: nowrap; }
.collapse, a[data-toggle] { display: none; } pre, code { white-space: pre-wrap; }
"""


def write(
    suite: Any, verdict: Verdict, reports: Path, *, dataset: str, name: str, sha256: str
) -> str | None:
    """Write page and JSON under ``reports``; return the page's path there.

    None when Great Expectations cannot render its own result.
    """
    folder = Path("datasets", dataset, sha256[:12])
    try:
        rendered, told = gx.render(suite), gx.to_json(suite)
    except Exception:  # a picture of the verdict must not stand in the verdict's way
        log.exception("%s: Great Expectations could not render the page of %s", dataset, name)
        return None
    _put(reports / folder / RESULT, json.dumps(told, indent=2))
    page = offline(rendered, f"{dataset}: {name}", verdict.sentence)
    _put(reports / folder / "index.html", page)
    return str(folder / "index.html")


def _put(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{uuid.uuid4().hex}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(target)


def offline(rendered: str, title: str, verdict: str) -> str:
    """Keep the sections of a Great Expectations page, under a style of our own."""
    start, end = rendered.find('<div id="section-1"'), rendered.find("<footer>")
    body = rendered[max(start, 0) : end if end > 0 else None]
    body = re.sub(r"<(script|style)\b.*?</\1>|<link\b[^>]*>|<img\b[^>]*>", "", body, flags=re.S)
    body = re.sub(r'<a href="\.\./[^"]*"\s*>(.*?)</a>', r"\1", body, flags=re.S)
    title = markup.escape(title)
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    told = (
        f"<h1>{title}</h1><p><strong>Verdict: {markup.escape(verdict)}</strong></p>"
        f'<p><a href="{RESULT}">The same as Great Expectations\' JSON</a></p>'
    )
    text = f"<head>{head}</head><body>{told}{body}</body>"
    return f'<!doctype html><html lang="en">{text}</html>'

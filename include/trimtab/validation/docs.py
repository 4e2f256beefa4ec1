"""The Data Docs page of one validation."""

import logging
import uuid
from pathlib import Path

from trimtab.adapters import gx
from trimtab.adapters.gx import Checked

log = logging.getLogger(__name__)


def write(checked: Checked, reports: Path, dataset: str, sha256: str) -> str | None:
    """Write the page under ``reports``; return its path there, None when GX cannot render it."""
    page = Path("datasets", dataset, sha256[:12], "index.html")
    try:
        html = gx.render(checked.suite)
    except Exception:  # a picture of the verdict must not stand in the verdict's way
        log.exception("%s: Great Expectations could not render the page of %s", dataset, sha256)
        return None
    target = reports / page
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{uuid.uuid4().hex}.tmp")
    temporary.write_text(html, encoding="utf-8")
    temporary.replace(target)
    return str(page)

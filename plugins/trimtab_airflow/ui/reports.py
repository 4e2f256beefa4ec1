"""Serve lake/reports to people who are signed in to Airflow, and nothing outside of it."""

import functools
from pathlib import Path

from airflow.api_fastapi.core_api.security import requires_authenticated
from fastapi import Depends, FastAPI
from fastapi.responses import FileResponse, HTMLResponse, Response

from trimtab.config.loader import load_environment
from trimtab.paths import default_config, default_environment, default_home
from trimtab_airflow.ui.index import listing, missing

BASE = "/trimtab/reports"
_TYPES = {
    ".html": "text/html",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".css": "text/css",
}
# Reports carry their own scripts (Evidently); they may draw, but not call Airflow as the reader.
_HEADERS = {
    "Content-Security-Policy": "sandbox allow-scripts allow-popups",
    "X-Content-Type-Options": "nosniff",
}


@functools.cache
def application() -> FastAPI:
    """Build the application once per process."""
    app = FastAPI(title="trimtab", dependencies=[Depends(requires_authenticated())])
    app.get("/reports/", response_class=HTMLResponse)(index)
    app.get("/reports/{path:path}")(page)
    return app


def index() -> HTMLResponse:
    """List the newest pages."""
    return HTMLResponse(listing(reports_root(), BASE))


def page(path: str) -> Response:
    """Return one file under lake/reports."""
    file = resolve(reports_root(), path)
    if file is None:
        return HTMLResponse(missing(path, BASE), status_code=404, headers=_HEADERS)
    return FileResponse(file, media_type=_TYPES[file.suffix], headers=_HEADERS)


def resolve(root: Path, path: str) -> Path | None:
    """Find the file a path names; None when it is missing, of another kind, or leads outside."""
    if "\0" in path:
        return None
    file = (root / path).resolve()
    inside = file.is_relative_to(root.resolve())
    return file if inside and file.suffix in _TYPES and file.is_file() else None


def reports_root() -> Path:
    """Return the folder of the pages."""
    place = load_environment(default_config(), default_environment())
    return default_home() / place.lake / "reports"

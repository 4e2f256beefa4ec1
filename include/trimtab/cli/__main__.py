"""``python -m trimtab.cli`` is ``trimtab``."""

from trimtab.cli import app

app()

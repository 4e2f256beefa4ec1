"""Where the home and the config folder are. Imports nothing, so that parsing DAGs stays cheap."""

import os
from pathlib import Path


def default_home() -> Path:
    """``TRIMTAB_HOME``, else ``.trimtab`` in the current folder."""
    return Path(os.environ.get("TRIMTAB_HOME", ".trimtab")).resolve()


def default_config() -> Path:
    """``TRIMTAB_CONFIG``, else ``config`` in the current folder."""
    return Path(os.environ.get("TRIMTAB_CONFIG", "config")).resolve()


def default_environment() -> str:
    """``TRIMTAB_ENV``, else ``local``."""
    return os.environ.get("TRIMTAB_ENV", "local")

"""MLflow: runs, registered versions and their aliases and tags, all a mirror of the ledger."""

from trimtab.adapters.tracking.entry import (
    APPROVAL,
    BLOCKED,
    CHALLENGER,
    CHAMPION,
    GATE,
    KEY,
    VERSION,
    Family,
    Input,
    ModelFiles,
    Training,
)
from trimtab.adapters.tracking.ghosts import Ghost
from trimtab.adapters.tracking.registry import Registered
from trimtab.adapters.tracking.tracker import Tracker

__all__ = [
    "APPROVAL",
    "BLOCKED",
    "CHALLENGER",
    "CHAMPION",
    "GATE",
    "KEY",
    "VERSION",
    "Family",
    "Ghost",
    "Input",
    "ModelFiles",
    "Registered",
    "Tracker",
    "Training",
]

"""MLflow: runs, registered versions and the champion alias, all a mirror of the ledger."""

from trimtab.adapters.tracking.entry import Family, Input, ModelFiles, Training
from trimtab.adapters.tracking.ghosts import Ghost
from trimtab.adapters.tracking.tracker import Tracker

__all__ = ["Family", "Ghost", "Input", "ModelFiles", "Tracker", "Training"]

"""Columns a file brings that its contract does not name, where the dataset lets them in."""

from collections.abc import Iterable

from trimtab.config import DatasetSpec
from trimtab.config.dataset import Column


def widened(spec: DatasetSpec, header: Iterable[str]) -> DatasetSpec:
    """Return the contract the file is read by: its own, and with ``add_columns`` what is new.

    What nobody has described is text and may be missing: no value is lost, nothing is guessed
    from one file that the next one contradicts. Names that begin with _ are ours and never let in.
    """
    if spec.evolve != "add_columns":
        return spec
    extra = {
        name: Column(type="text", nullable=True)
        for name in header
        if name and name not in spec.columns and not name.startswith("_")
    }
    return spec.model_copy(update={"columns": {**spec.columns, **extra}}) if extra else spec

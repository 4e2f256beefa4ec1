"""The name of one prediction: model, file and row it was made of. Nothing else need be kept."""

import re
from dataclasses import dataclass

from trimtab.errors import DataError

COLUMN = "prediction_id"
LETTERS = 16  # of the file's SHA-256
_FORM = re.compile(rf"([a-z][a-z0-9_]*):([0-9a-f]{{{LETTERS}}}):(\d+)")


@dataclass(frozen=True)
class PredictionId:
    """Which model has scored which row of which file; a file is scored once."""

    model: str
    file: str  # the first letters of its hash
    row: int

    @classmethod
    def of(cls, text: str) -> "PredictionId":
        """Read the text that stands in the predictions.

        Raises:
            DataError: it has another form.
        """
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise DataError(
                f"{text!r} is no prediction; it is MODEL:FILE:ROW, as in the column {COLUMN} of "
                "the predictions, and 'trimtab explain MODEL --id KEY' shows it"
            )
        model, file, row = found.groups()
        return cls(model, file, int(row))

"""The only way a model gets into memory: hashes of the ledger, skops, fixed lists of types."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trimtab import trusted
from trimtab.errors import IntegrityError
from trimtab.serving.frame import Schema, coerce
from trimtab.types import Candidate, FeatureSet

_ARCHIVE = b"PK\x03\x04"  # how a skops file begins; a pickle begins otherwise
_BASELINE = "baseline_"


@dataclass(frozen=True)
class LoadedModel:
    """A model that can predict. ``classes`` are the columns of a multiclass prediction."""

    model: str
    version: int
    name: str
    task: str
    schema: Schema
    pipeline: Any
    classes: tuple[Any, ...] = ()

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Predict one value a row: P(positive) for binary, (n, classes), or the number.

        Raises:
            DataError: columns are missing or hold values of another type.
        """
        ready = coerce(frame, self.schema)
        if self.task == "regression":
            return np.asarray(self.pipeline.predict(ready), dtype=np.float64)
        chances = np.asarray(self.pipeline.predict_proba(ready), dtype=np.float64)
        if self.task == "multiclass":
            return chances
        return chances[:, self.classes.index(1)] if 1 in self.classes else np.zeros(len(ready))


def load(lake: Path, candidate: Candidate, name: str = "model") -> LoadedModel:
    """Load a version, or one of its baselines (``baseline_dummy``), after checking its bytes.

    Raises:
        IntegrityError: a file is not what the ledger says, or holds a type we do not allow.
    """
    folder = lake / candidate.uri
    data = _verified(folder, f"{name}.skops", candidate)
    where = f"{folder / name}.skops"
    family = name.removeprefix(_BASELINE) if name.startswith(_BASELINE) else candidate.estimator
    return built(data, candidate.features, where, family, version=candidate.version, name=name)


def built(
    data: bytes,
    features: FeatureSet,
    where: str,
    family: str,
    *,
    version: int = 0,
    name: str = "model",
) -> LoadedModel:
    """Return the model in skops bytes; version 0 has no number yet.

    Raises:
        IntegrityError: the bytes hold a type that a model of this family may not hold.
    """
    pipeline = loads(data, where, family)
    return LoadedModel(
        model=features.model,
        version=version,
        name=name,
        task=features.task,
        schema=Schema.of(features),
        pipeline=pipeline,
        classes=tuple(np.asarray(getattr(pipeline, "classes_", ())).tolist()),
    )


def description(lake: Path, candidate: Candidate) -> dict[str, Any]:
    """Return the verified ``model.json`` of a version."""
    found: dict[str, Any] = json.loads(_verified(lake / candidate.uri, "model.json", candidate))
    return found


def read(lake: Path, candidate: Candidate, name: str) -> bytes:
    """Return a verified file of a version.

    Raises:
        IntegrityError: it is not what the ledger says.
    """
    return _verified(lake / candidate.uri, name, candidate)


def verify(lake: Path, candidate: Candidate) -> None:
    """Check every file of a version against the ledger's record.

    Raises:
        IntegrityError: names the first file that is missing or different.
    """
    for name in candidate.manifest:
        _verified(lake / candidate.uri, name, candidate)


def loads(data: bytes, where: str, family: str | None = None) -> Any:
    """Rebuild an object from skops bytes if every type in it is allowed.

    Raises:
        IntegrityError: the bytes are no skops archive, or names the types that are not allowed.
    """
    if not data.startswith(_ARCHIVE):
        raise IntegrityError(
            f"{where} is no model: it begins with {data[:4]!r}, as no skops archive does; "
            "trimtab loads nothing else, and never a pickle"
        )
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        if unknown := trusted.unknown(skops.io.get_untrusted_types(data=data), family):
            kind = f"a model of family {family}" if family else "a model"
            raise IntegrityError(
                f"{where} holds {', '.join(unknown)}, which trimtab does not load in {kind}; it is "
                f"built from scikit-learn's own types and, when it is the user's own, from those "
                f"that {trusted.USER_MODULE} allows"
            )
        return skops.io.loads(data, trusted=list(trusted.allowed(family)))
    except IntegrityError:
        raise
    except UntrustedTypesFoundException as error:
        raise IntegrityError(f"{where}: {error}") from error
    except Exception as error:  # whatever a broken archive makes skops raise
        raise IntegrityError(f"{where} is no model: {type(error).__name__}: {error}") from error


def _verified(folder: Path, name: str, candidate: Candidate) -> bytes:
    expected = candidate.manifest.get(name)
    where = f"{candidate.model} version {candidate.version}: {folder / name}"
    if odd := trusted.foreign(candidate.manifest):
        raise IntegrityError(
            f"{where} is not opened: the version lists {', '.join(odd)}, and no version is made "
            "of such files; train a new one"
        )
    if expected is None:
        raise IntegrityError(f"{where} is not in the version's manifest in the ledger")
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise IntegrityError(f"{where} cannot be read: {error.strerror}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise IntegrityError(
            f"{where} has SHA-256 {found[:12]}, the ledger says {expected[:12]}; "
            "restore the file, or roll back to another version"
        )
    return data

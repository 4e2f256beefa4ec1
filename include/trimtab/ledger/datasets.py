"""What the ledger knows of a dataset: its versions, and the files they came from."""

from collections import Counter

from trimtab.errors import NotReadyError
from trimtab.ledger.ledger import Ledger
from trimtab.types import DatasetVersion

KIND = "dataset_version"


def versions(ledger: Ledger, dataset: str) -> list[DatasetVersion]:
    """Return every record of a dataset's table, oldest version first.

    A file that changed nothing has a record that names the version it found.
    """
    found = [DatasetVersion.model_validate(e.payload) for e in ledger.events(KIND, dataset)]
    return sorted(found, key=lambda version: version.version)


def at(ledger: Ledger, dataset: str, version: int | None) -> DatasetVersion:
    """Return the record of the change that made ``version``, None meaning the newest one.

    Raises:
        NotReadyError: the ledger has no such version; names those it has.
    """
    known = versions(ledger, dataset)
    if version is None:
        if not known:
            raise NotReadyError(f"{dataset}: no file was published yet")
        version = known[-1].version
    for record in known:
        if record.version == version:
            return record
    numbers = ", ".join(str(n) for n in dict.fromkeys(v.version for v in known)) or "none"
    raise NotReadyError(f"{dataset} has no version {version}; versions: {numbers}")


def set_aside(ledger: Ledger, dataset: str, sha256: str) -> dict[str, int]:
    """Rows of an accepted file that were set aside, by whatever stage, by reason."""
    found: Counter[str] = Counter()
    if file := ledger.find("file", dataset, sha256):
        found.update(file.payload["quarantined"])
    if (checked := ledger.find("validation", dataset, sha256)) and checked.payload["quarantined"]:
        found["check_failed"] += checked.payload["quarantined"]
    if made := ledger.find(KIND, dataset, sha256):
        found.update(made.payload.get("set_aside", {}))
    return dict(found)


def order(ledger: Ledger, dataset: str) -> dict[str, int]:
    """Rank of every judged file by its hash: of two files, the later one knows better."""
    return {event.key: event.seq for event in ledger.events("file", dataset)}


def named(ledger: Ledger, dataset: str, name: str) -> list[str]:
    """Hashes of the accepted files that were called ``name``, oldest first."""
    return [
        event.key
        for event in ledger.events("file", dataset)
        if event.payload["name"] == name and event.payload["verdict"] == "accepted"
    ]

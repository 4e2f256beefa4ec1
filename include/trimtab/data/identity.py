"""What one version of a dataset is made of, so that a changed byte of it can be named."""

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from trimtab.adapters import delta_files
from trimtab.environment import Environment
from trimtab.ledger import datasets


def identity(env: Environment, dataset: str, version: int) -> dict[str, Any]:
    """Return what the ledger says of a version, and the SHA-256 of every file it is made of.

    Reads every byte of the version once.

    Raises:
        NotReadyError: the ledger has no such version.
        FileNotFoundError: a file of it is gone.
    """
    record = datasets.at(env.ledger, dataset, version)
    path = env.table(dataset)
    return {
        "version": version,
        "rows": record.total_rows,
        "newest": record.newest.isoformat() if record.newest else None,
        "content": record.content,
        "files": {
            name: {"bytes": file.size, "sha256": _sha256(env, f"datasets/{dataset}/{name}")}
            for name, file in delta_files.files(path, version).items()
        },
    }


def _sha256(env: Environment, key: str) -> str:
    with TemporaryDirectory(dir=env.scratch) as folder:
        file = env.store.fetch(key, Path(folder))
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

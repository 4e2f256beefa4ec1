"""The folder of a dossier: written aside, hashed, renamed; and the zip made of it."""

import hashlib
import io
import os
import shutil
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

from trimtab.errors import IntegrityError
from trimtab.evaluation.papers.decisions import dumped
from trimtab.ledger.chain import digest

PAPERS, ZIP, MANIFEST = "papers", "dossier.zip", "manifest.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # what a zip can say at the earliest: it holds no time of today
_EXECUTABLE, _PLAIN = 0o755, 0o644


def sha256(data: bytes) -> str:
    """Hash bytes."""
    return hashlib.sha256(data).hexdigest()


def hashed(papers: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of every paper."""
    return {name: sha256(data) for name, data in sorted(papers.items())}


def key(manifest: Mapping[str, str]) -> str:
    """Identity of a dossier: its papers by name and content."""
    return digest(dict(manifest))


def zipped(papers: Mapping[str, bytes], folder: str) -> bytes:
    """Return a zip that holds the papers in one folder; equal papers give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted({**papers, MANIFEST: dumped(hashed(papers))}.items()):
            entry = zipfile.ZipInfo(f"{folder}/{name}", date_time=_EPOCH)
            mode = _EXECUTABLE if name.endswith(".sh") else _PLAIN
            entry.external_attr = (stat.S_IFREG | mode) << 16
            entry.create_system = 3  # Unix, wherever it is made
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def write(target: Path, papers: Mapping[str, bytes], archive: bytes) -> None:
    """Write the folder at once; one that is there already has to hold the same.

    Raises:
        IntegrityError: a file of the folder that is there has been changed.
    """
    contents = {f"{PAPERS}/{name}": data for name, data in papers.items()}
    contents |= {f"{PAPERS}/{MANIFEST}": dumped(hashed(papers)), ZIP: archive}
    aside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    shutil.rmtree(aside, ignore_errors=True)
    for name, data in contents.items():
        (aside / name).parent.mkdir(parents=True, exist_ok=True)
        (aside / name).write_bytes(data)
    try:
        aside.rename(target)
    except OSError:  # it was issued before, or somebody else was first
        shutil.rmtree(aside, ignore_errors=True)
        _same(target, contents)


def _same(target: Path, contents: Mapping[str, bytes]) -> None:
    for name, data in contents.items():
        file = target / name
        if not file.is_file() or file.read_bytes() != data:
            raise IntegrityError(
                f"{file} is not what was issued; remove the folder {target} to issue it again"
            )

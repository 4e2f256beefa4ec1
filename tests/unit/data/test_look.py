"""What is said of a file before it is opened, and copying one that changes."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from trimtab.config import DatasetSpec
from trimtab.data import copying, look, names
from trimtab.data.reasons import RefusedFileError
from trimtab.errors import NotReadyError

SPEC = DatasetSpec.model_validate(
    {
        "dataset": "shop",
        "owner": "me",
        "source": {"uri": "landing"},
        "key": ["id"],
        "columns": {"id": {"type": "text"}},
        "limits": {"max_bytes": "1KB"},
    }
)


def reason(path: Path, landing: Path | None = None) -> str:
    try:
        look.look(path, SPEC, landing=landing)
    except RefusedFileError as refused:
        return str(refused.reason)
    return "ok"


def plain(path: Path) -> Path:
    path.write_text("id\n1\n")
    return path


def link(path: Path) -> Path:
    path.symlink_to(plain(path.with_name("other")))
    return path


def hard_link(path: Path) -> Path:
    path.hardlink_to(plain(path.with_name("other")))
    return path


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def large(path: Path) -> Path:
    path.write_bytes(b"x" * 1025)
    return path


@pytest.mark.parametrize(
    ("make", "name", "expected"),
    [
        (plain, "a.csv", "ok"),
        (plain, "Übersicht (2) v1.0+b.csv", "ok"),
        (lambda path: path, "gone.csv", "unreadable"),
        (link, "a.csv", "not_regular_file"),
        (hard_link, "a.csv", "not_regular_file"),
        (pipe, "a.csv", "not_regular_file"),
        (folder, "a.csv", "not_regular_file"),
        (large, "a.csv", "too_large"),
        (plain, "a.csv.part", "incomplete_upload"),
        (plain, "a.csv.TMP", "incomplete_upload"),
        (plain, "..%2fa.csv", "bad_filename"),
        (plain, "a\n.csv", "bad_filename"),
        (plain, "$(id).csv", "bad_filename"),
        (plain, "a;b.csv", "bad_filename"),
        (plain, "-rf.csv", "bad_filename"),
    ],
)
def test_what_a_file_is_decides_before_it_is_opened(
    tmp_path: Path, make: Callable[[Path], Path], name: str, expected: str
) -> None:
    assert reason(make(tmp_path / name)) == expected


def test_a_file_by_way_of_a_linked_folder_is_elsewhere(tmp_path: Path) -> None:
    real, landing = tmp_path / "real", tmp_path / "landing"
    real.mkdir()
    landing.mkdir()
    plain(real / "a.csv")
    (landing / "day").symlink_to(real)
    assert reason(landing / "day" / "a.csv", landing) == "outside_landing"
    assert reason(landing / "day" / "a.csv") == "outside_landing"
    linked = tmp_path / "linked"
    linked.symlink_to(real)
    assert reason(linked / "a.csv", linked) == "ok"  # whoever runs this chose that folder


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_unreadable(tmp_path: Path) -> None:
    path = plain(tmp_path / "a.csv")
    path.chmod(0)
    assert reason(path) == "unreadable"


def test_the_checksum_beside_a_file_must_be_its_own(tmp_path: Path) -> None:
    path = plain(tmp_path / "a.csv")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    look.check_hash(path, sha256)
    side = tmp_path / "a.csv.sha256"
    side.write_text(f"{sha256.upper()}  a.csv\n")
    look.check_hash(path, sha256)
    for text in ("0" * 64, "none", ""):
        side.write_text(text)
        with pytest.raises(RefusedFileError, match="manifest_mismatch"):
            look.check_hash(path, sha256)
    side.unlink()
    os.mkfifo(side)  # would wait for ever
    with pytest.raises(RefusedFileError, match="manifest_mismatch"):
        look.check_hash(path, sha256)


def test_a_file_that_grows_while_it_is_copied_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = plain(tmp_path / "a.csv")
    copied = copying.copy(path, tmp_path / "copy")
    assert (copied.size, (tmp_path / "copy").read_bytes()) == (5, b"id\n1\n")
    real = os.fstat
    seen: list[int] = []

    def growing(descriptor: int) -> os.stat_result:
        seen.append(descriptor)
        if len(seen) == 2:
            with path.open("a") as stream:
                stream.write("2\n")
        return real(descriptor)

    monkeypatch.setattr("trimtab.data.copying.os.fstat", growing)
    with pytest.raises(NotReadyError, match="changed while"):
        copying.copy(path, tmp_path / "copy")


@pytest.mark.parametrize(
    ("name", "stem"), [("a.csv", "a"), ("a.csv.gz", "a"), ("a.b.csv", "a.b"), ("a", "a")]
)
def test_the_stem_of_a_name(name: str, stem: str) -> None:
    assert names.stem(name) == stem

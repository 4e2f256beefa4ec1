"""The folder of a version: names stay inside it, every file is in the manifest."""

from pathlib import Path

import pytest

from trimtab.errors import IntegrityError
from trimtab.training import package

FILES = {"figures/roc.png": b"picture", "importance.json": b"{}"}


def test_further_files_are_in_the_manifest(tmp_path: Path) -> None:
    target = tmp_path / "late" / "abc"
    manifest = package.write(target, {"model": b"skops"}, {"b": 1, "a": 2}, "[]", FILES)
    assert set(manifest) == {"model.skops", "model.json", "input_example.json", *FILES}
    assert (target / "figures" / "roc.png").read_bytes() == b"picture"
    assert list(package.describe(target)) == ["b", "a"]  # the order is kept
    assert package.write(target, {"model": b"other"}, {}, "[]") == manifest  # the first one stays
    (target / "figures" / "roc.png").write_bytes(b"another")
    assert package.changed(target, manifest) == ["figures/roc.png"]
    with pytest.raises(IntegrityError, match=r"roc\.png"):
        package.read_manifest(target)


@pytest.mark.parametrize(
    "name", ["../out.png", "/etc/x", "figures/../../x", ".hidden", "a//b", "model.json", "a\0b", ""]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    target = tmp_path / "version"
    with pytest.raises(ValueError, match="no names for files"):
        package.write(target, {"model": b""}, {}, "[]", {name: b""})
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_that_leads_out_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_bytes(b"x")
    (tmp_path / "version").mkdir()
    manifest = {"../secret": package.sha256(outside)}
    assert package.changed(tmp_path / "version", manifest) == ["../secret"]

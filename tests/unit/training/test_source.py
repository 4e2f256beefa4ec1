"""Which code made a model: commit, what is not in it and matters, the user's own modules."""

import subprocess
from pathlib import Path

import pytest

from trimtab.training import source


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=me", "-c", "user.email=me@home"]
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a committed configuration."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "model.yaml").write_text("a: 1\n")
    (tmp_path / ".gitignore").write_text("*.log\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_a_clean_repository(repository: Path) -> None:
    code = source.code(repository / "config")
    assert code.commit == git(repository, "rev-parse", "HEAD")
    assert code.changes == ()
    assert not code.dirty


@pytest.mark.parametrize(
    ("name", "dirty"),
    [
        ("config/model.yaml", True),
        ("config/new.yaml", True),
        ("include/trimtab_features.py", True),
        ("uv.lock", True),
        ("a b.sql", True),
        ("notes.txt", False),
        ("landing/rides.csv", False),
        ("debug.log", False),
    ],
)
def test_what_is_not_committed(repository: Path, name: str, dirty: bool) -> None:
    file = repository / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("other\n")
    code = source.code(repository / "config")
    assert code.dirty is dirty
    assert code.changes == ((name,) if dirty else ())
    assert code.to_json()["dirty"] is dirty


def test_a_removed_file_counts(repository: Path) -> None:
    (repository / "config" / "model.yaml").unlink()
    assert source.code(repository / "config").changes == ("config/model.yaml",)


def test_without_a_repository_nothing_is_committed(tmp_path: Path) -> None:
    code = source.code(tmp_path)
    assert code.commit is None
    assert code.dirty


def test_a_user_module_is_hashed_and_must_be_in_the_repository(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert source.modules() == {}
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    module = elsewhere / "trimtab_features.py"
    module.write_text("one = 1\n")
    monkeypatch.syspath_prepend(str(elsewhere))
    before = source.modules()
    assert set(before) == {"trimtab_features"}
    code = source.code(repository / "config")
    assert code.changes == ("trimtab_features (not in the repository)",)
    module.write_text("one = 2\n")
    assert source.modules() != before


def test_every_file_of_a_package_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "trimtab_estimators"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "mine.py").write_text("a = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = source.modules()
    (package / "mine.py").rename(package / "yours.py")
    assert source.modules() != before

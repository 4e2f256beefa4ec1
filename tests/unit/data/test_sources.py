"""Which files of a landing folder are complete, and reading them."""

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trimtab.clock import FixedClock
from trimtab.data import names as look_names
from trimtab.data.reasons import RefusedFileError
from trimtab.data.sources import open_source, registry
from trimtab.environment import Environment
from trimtab.errors import DependencyError, NotReadyError, TrimtabError

YAML = """
dataset: shop
owner: me
source: {uri: landing/shop, pattern: "*.csv", settle: 10s}
key: [id]
columns: {id: {type: text}}
"""


@pytest.fixture
def env(open_env: Callable[[dict[str, str]], Environment]) -> Environment:
    return open_env({"datasets/shop.yaml": YAML})


@pytest.fixture
def land(env: Environment, clock: FixedClock) -> Callable[..., Path]:
    folder = env.landing("shop")
    folder.mkdir(parents=True)

    def landed(name: str, text: str = "id\n1\n", age: float = 60) -> Path:
        file = folder / name
        file.write_text(text)
        moment = (clock.now() - timedelta(seconds=age)).timestamp()
        os.utime(file, (moment, moment))
        return file

    return landed


@pytest.fixture
def rule(open_env: Callable[[dict[str, str]], Environment]) -> Callable[[str], Environment]:
    def ruled(complete: str) -> Environment:
        text = YAML.replace("settle: 10s", f"complete: {complete}")
        return open_env({"datasets/shop.yaml": text})

    return ruled


def names(env: Environment) -> list[str]:
    return [file.name for file in open_source(env, "shop").files()]


def test_no_folder_yet_is_no_files(env: Environment) -> None:
    assert names(env) == []


def test_only_complete_files_of_the_pattern_are_listed(
    env: Environment, land: Callable[..., Path]
) -> None:
    for name in ("b.csv", "a.csv", ".c.csv", "_d.csv", "e.csv.part", "f.csv.tmp", "g.txt"):
        land(name)
    assert names(env) == ["a.csv", "b.csv"]


def test_a_fresh_file_waits_until_it_has_been_still(
    env: Environment, land: Callable[..., Path], clock: FixedClock
) -> None:
    land("half.csv", age=9)
    assert names(env) == []
    clock.time += timedelta(seconds=1)
    assert names(env) == ["half.csv"]


def test_what_must_not_be_read_is_listed_to_get_its_verdict(
    env: Environment, land: Callable[..., Path], clock: FixedClock, tmp_path: Path
) -> None:
    folder = land("a.csv").parent
    secret = tmp_path / "secret.csv"
    secret.write_text("id\n1\n")
    (folder / "link.csv").symlink_to(secret)
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    clock.time = datetime.now(UTC) + timedelta(minutes=1)
    assert names(env) == ["a.csv", "folder.csv", "link.csv", "pipe.csv"]


def test_success_covers_what_was_there_when_it_was_written(
    rule: Callable[[str], Environment], land: Callable[..., Path]
) -> None:
    env = rule("success")
    land("a.csv", age=60)
    assert names(env) == []
    land("_SUCCESS", age=60)
    land("late.csv", age=59)
    assert names(env) == ["a.csv"]
    land("_SUCCESS", age=58)
    assert names(env) == ["a.csv", "late.csv"]


def test_checksum_waits_for_the_file_beside(
    rule: Callable[[str], Environment], land: Callable[..., Path]
) -> None:
    env = rule("checksum")
    land("a.csv")
    assert names(env) == []
    land("a.csv.sha256", f"{hashlib.sha256(b'id' + b'x').hexdigest()}  a.csv\n")
    assert names(env) == ["a.csv"]


def test_what_a_checksum_file_says_is_checked(
    rule: Callable[[str], Environment], land: Callable[..., Path], tmp_path: Path
) -> None:
    env = rule("checksum")
    right = hashlib.sha256(b"id\n1\n").hexdigest()
    land("a.csv")
    land("a.csv.sha256", f"{right}  a.csv\n")
    source = open_source(env, "shop")
    (file,) = source.files()
    assert source.fetch(file, tmp_path / "copy") == right
    for wrong in ("", right[::-1]):
        land("a.csv.sha256", wrong)
        with pytest.raises(RefusedFileError, match="manifest_mismatch"):
            source.fetch(file, tmp_path / "copy")


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "two names"])
def test_what_is_no_plain_file_is_refused_unread(
    env: Environment, land: Callable[..., Path], clock: FixedClock, tmp_path: Path, kind: str
) -> None:
    path = land("a.csv").parent / "odd.csv"
    make = {
        "link": lambda: path.symlink_to("a.csv"),
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "two names": lambda: path.hardlink_to(path.parent / "a.csv"),
    }
    make[kind]()
    clock.time = datetime.now(UTC) + timedelta(minutes=1)
    source = open_source(env, "shop")
    (odd,) = [file for file in source.files() if file.name == "odd.csv"]
    with pytest.raises(RefusedFileError, match="not_regular_file"):
        source.fetch(odd, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_name_of_other_bytes_than_utf8_is_listed_and_can_be_recorded(
    env: Environment, land: Callable[..., Path]
) -> None:
    land(os.fsdecode(b"caf\xe9.csv"))
    (file,) = open_source(env, "shop").files()
    assert file.to_json()["name"] == "caf\\xe9.csv"
    with pytest.raises(RefusedFileError, match="bad_filename"):
        look_names.check(file.name)


def test_a_folder_that_cannot_be_listed_is_worth_a_retry(
    env: Environment, land: Callable[..., Path]
) -> None:
    folder = land("a.csv").parent
    (folder / "a.csv").unlink()
    folder.rmdir()
    folder.write_text("not a folder")
    with pytest.raises(DependencyError, match="cannot be listed"):
        names(env)


def test_a_users_own_source_is_a_class_under_its_scheme(
    open_env: Callable[[dict[str, str]], Environment],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "_FACTORIES", dict(registry._FACTORIES))
    registry._load_user_module.cache_clear()
    env = open_env({"datasets/shop.yaml": YAML.replace("landing/shop", "ftp://host/shop")})
    with pytest.raises(TrimtabError, match=r"ftp://.*trimtab_sources"):
        open_source(env, "shop")
    (tmp_path / "trimtab_sources.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    registry._load_user_module.cache_clear()
    assert names(env) == ["ftp://host/shop/*.csv"]


OWN = """
from trimtab.data import names as look_names
from trimtab.data.reasons import RefusedFileError
from trimtab.data.sources import source
from trimtab.types import LandedFile

@source("ftp")
class Ftp:
    def __init__(self, env, dataset):
        self.spec = env.project.dataset(dataset).source

    def files(self):
        name = f"{self.spec.uri}/{self.spec.pattern}"
        return [LandedFile(dataset="shop", name=name, uri=name, size=1, mtime_ns=1)]
"""


def test_a_file_that_changed_since_it_was_listed_is_not_read(
    env: Environment, land: Callable[..., Path], tmp_path: Path
) -> None:
    land("a.csv")
    source = open_source(env, "shop")
    (file,) = source.files()
    copy = tmp_path / "copy"
    assert source.fetch(file, copy) == hashlib.sha256(b"id\n1\n").hexdigest()
    assert copy.read_bytes() == b"id\n1\n"
    land("a.csv", "id\n1\n2\n")
    with pytest.raises(NotReadyError, match="changed since"):
        source.fetch(file, copy)
    land("a.csv", "id\n2\n", age=30)  # as long as before, another time
    with pytest.raises(NotReadyError, match="changed since"):
        source.fetch(file, copy)


@pytest.mark.parametrize("instead", ["nothing", "link", "pipe"])
def test_a_name_that_became_something_else_is_not_followed(
    env: Environment, land: Callable[..., Path], tmp_path: Path, instead: str
) -> None:
    path = land("a.csv")
    (file,) = open_source(env, "shop").files()
    path.unlink()
    if instead == "link":
        secret = tmp_path / "secret"
        secret.write_text("id\n1\n")
        path.symlink_to(secret)
    if instead == "pipe":
        os.mkfifo(path)
    with pytest.raises(NotReadyError):
        open_source(env, "shop").fetch(file, tmp_path / "copy")

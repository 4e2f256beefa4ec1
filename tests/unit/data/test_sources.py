"""Which files of a landing folder are complete, and reading them."""

import hashlib
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from trimtab.clock import FixedClock
from trimtab.data.sources import open_source
from trimtab.environment import Environment
from trimtab.errors import NotReadyError

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


def test_links_folders_and_pipes_are_left_alone(
    env: Environment, land: Callable[..., Path], tmp_path: Path
) -> None:
    folder = land("a.csv").parent
    secret = tmp_path / "secret.csv"
    secret.write_text("id\n1\n")
    (folder / "link.csv").symlink_to(secret)
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    assert names(env) == ["a.csv"]


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

"""The same commits on S3, with nothing but the usual AWS_* variables."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import polars as pl
import pytest

from trimtab.adapters import delta, delta_commit, delta_files
from trimtab.adapters.delta_files import DataFile
from trimtab.adapters.store import Store, open_store
from trimtab.errors import LedgerConflictError


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A store in a process of its own: Delta holds the interpreter while it waits for an answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.fixture
def store(server: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="lakes")
    return open_store("s3://lakes/one")


def put(store: Store, folder: Path, name: str, n: int) -> DataFile:
    file = folder / name
    pl.DataFrame({"id": ["a", "b"], "n": [n, n + 1]}).write_parquet(file)
    store.put(f"datasets/x/{name}", file)
    return delta_files.described(store.location("datasets/x"), name)


def test_commits_of_files_that_lie_in_a_bucket(store: Store, tmp_path: Path) -> None:
    path = store.location("datasets/x")
    one, two = put(store, tmp_path, "1.parquet", 1), put(store, tmp_path, "2.parquet", 5)
    schema = delta_files.columns(path, one.name)
    first = {"note": {}, "at": 1, "base": None, "schema": schema}
    assert delta_commit.commit(path, add=[one], transaction="t", **first) == 0
    assert delta_commit.commit(path, add=[two], transaction="t", **first) == 0
    with pytest.raises(LedgerConflictError):
        delta_commit.commit(path, add=[two], transaction="u", **first)
    more = {"note": {}, "at": 1, "base": 0}
    assert delta_commit.commit(path, add=[two], remove=[one], transaction="u", **more) == 1
    with pytest.raises(LedgerConflictError, match="after version 0"):
        delta_commit.commit(path, add=[one], transaction="v", **more)
    assert delta.scan(path).collect()["n"].to_list() == [5, 6]
    assert delta.scan(path, 0).collect()["n"].to_list() == [1, 2]
    (file,) = delta_files.files(path).values()
    assert (file.name, file.rows, file.low["n"], file.size) == ("2.parquet", 2, 5, two.size)
    rows = delta_files.read(path, [file], schema).collect()
    assert rows["_path"].to_list() == ["2.parquet", "2.parquet"]
    assert store.size("datasets/x/2.parquet") == two.size


def test_what_is_created_is_never_written_over(store: Store, tmp_path: Path) -> None:
    for place in (store, open_store(tmp_path / "lake")):
        assert place.create("anchors/1.json", b"first")
        assert not place.create("anchors/1.json", b"second")
        assert place.fetch("anchors/1.json", tmp_path).read_bytes() == b"first"
        assert list(place.keys("anchors/")) == ["anchors/1.json"]


def test_a_share_that_knows_no_links_creates_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refused)
    place = open_store(tmp_path)
    assert place.create("a/1.json", b"first")
    assert not place.create("a/1.json", b"second")
    assert (tmp_path / "a/1.json").read_bytes() == b"first"
    assert len(list((tmp_path / "a").iterdir())) == 1

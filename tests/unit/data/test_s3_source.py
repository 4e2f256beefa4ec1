"""Objects of a prefix: what is complete, and that what is read is what was listed."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from trimtab.adapters import s3
from trimtab.clock import FixedClock
from trimtab.data.reasons import RefusedFileError
from trimtab.data.sources import Doorbell, open_source
from trimtab.environment import Environment
from trimtab.errors import DependencyError, NotReadyError
from trimtab.stages import ingest

YAML = """
dataset: shop
owner: me
source: {uri: s3://bucket/landing/shop, pattern: "*.csv", settle: 0s}
key: [id]
columns: {id: {type: text}}
"""
OpenEnv = Callable[[dict[str, str]], Environment]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    yield "http://{}:{}".format(*moto.get_host_and_port())
    moto.stop()


@pytest.fixture
def client(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    import urllib.request

    reset = urllib.request.Request(f"{server}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    client = s3.client()
    client.create_bucket(Bucket="bucket")
    return client


@pytest.fixture
def put(client: Any) -> Callable[..., str]:
    def put(name: str, body: bytes = b"id\n1\n") -> str:
        answer = client.put_object(Bucket="bucket", Key=f"landing/shop/{name}", Body=body)
        return str(answer["ETag"]).strip('"')

    return put


@pytest.fixture
def env(open_env: OpenEnv, client: Any) -> Environment:
    return open_env({"datasets/shop.yaml": YAML})


def source(open_env: OpenEnv, **keys: str) -> Any:
    text = YAML.replace("settle: 0s", ", ".join(f"{k}: {v}" for k, v in keys.items()))
    return open_source(open_env({"datasets/shop.yaml": text}), "shop")


def names(source: Any) -> list[str]:
    return [file.name for file in source.files()]


def test_only_objects_directly_below_the_prefix_that_match(
    env: Environment, put: Callable[..., str], client: Any
) -> None:
    for name in ("b.csv", "a.csv", ".c.csv", "_d.csv", "e.csv.part", "f.txt", "sub/g.csv"):
        put(name)
    client.put_object(Bucket="bucket", Key="landing/shop2/h.csv", Body=b"")
    assert names(open_source(env, "shop")) == ["a.csv", "b.csv"]


def test_a_long_listing_is_read_to_its_end(
    env: Environment, put: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        put(f"{number}.csv")
    there = open_source(env, "shop")
    real = there.client.get_paginator("list_objects_v2").paginate
    paginator = type(
        "P", (), {"paginate": lambda _, **k: real(**k, PaginationConfig={"PageSize": 2})}
    )
    monkeypatch.setattr(there.client, "get_paginator", lambda _: paginator())
    assert len(names(there)) == 7


def test_settling_goes_by_the_clock_of_the_store(
    open_env: OpenEnv, put: Callable[..., str], clock: FixedClock
) -> None:
    put("a.csv")
    clock.time = datetime(2000, 1, 1, tzinfo=UTC)  # a machine whose clock is far behind
    assert names(source(open_env, settle="0s")) == ["a.csv"]
    clock.time = datetime.now(UTC) + timedelta(days=999)  # or far ahead
    assert names(source(open_env, settle="1h")) == []


def test_success_and_checksum_rules(open_env: OpenEnv, put: Callable[..., str]) -> None:
    put("a.csv")
    assert names(source(open_env, complete="success")) == []
    put("_SUCCESS", b"")
    assert names(source(open_env, complete="success")) == ["a.csv"]
    assert names(source(open_env, complete="checksum")) == []
    put("a.csv.sha256", b"00ff  a.csv\n")
    assert names(source(open_env, complete="checksum")) == ["a.csv"]


def test_what_a_checksum_object_says_is_checked(
    env: Environment, put: Callable[..., str], tmp_path: Path
) -> None:
    right = hashlib.sha256(b"id\n1\n").hexdigest()
    put("a.csv")
    put("a.csv.sha256", right.encode())
    there = open_source(env, "shop")
    (file,) = there.files()
    assert there.fetch(file, tmp_path / "copy") == right
    for wrong in (b"", right[::-1].encode()):
        put("a.csv.sha256", wrong)
        with pytest.raises(RefusedFileError, match="manifest_mismatch"):
            there.fetch(file, tmp_path / "copy")


@pytest.mark.parametrize("size", [0, 1, 10, 11, 25])
def test_an_object_is_read_in_parts(
    env: Environment,
    put: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
) -> None:
    monkeypatch.setattr("trimtab.data.sources.s3._PART", 10)
    body = bytes(range(size))
    put("a.csv", body)
    there = open_source(env, "shop")
    (file,) = there.files()
    assert there.fetch(file, tmp_path / "copy") == hashlib.sha256(body).hexdigest()
    assert (tmp_path / "copy").read_bytes() == body


@pytest.mark.parametrize("body", [b"id\n2\n", b"i", b"id\n1\n2\n3\n4\n5\n6\n", None])
def test_an_object_replaced_or_removed_since_it_was_listed_is_not_read(
    env: Environment, put: Callable[..., str], client: Any, tmp_path: Path, body: bytes | None
) -> None:
    put("a.csv")
    there = open_source(env, "shop")
    (file,) = there.files()
    if body is None:
        client.delete_object(Bucket="bucket", Key="landing/shop/a.csv")
    else:
        put("a.csv", body)
    with pytest.raises(NotReadyError):
        there.fetch(file, tmp_path / "copy")


def test_an_object_is_replaced_between_two_parts(
    env: Environment, put: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trimtab.data.sources.s3._PART", 4)
    put("a.csv", b"first one")
    there = open_source(env, "shop")
    (file,) = there.files()
    real = there.client.get_object

    def get(**where: str) -> Any:
        answer = real(**where)
        put("a.csv", b"other one")
        return answer

    monkeypatch.setattr(there.client, "get_object", get)
    with pytest.raises(NotReadyError, match="replaced"):
        there.fetch(file, tmp_path / "copy")


def test_the_same_bytes_again_are_no_news(env: Environment, put: Callable[..., str]) -> None:
    put("a.csv")
    (file,) = ingest.discover(env, "shop")
    ingest.ingest(env, file)
    put("a.csv")
    assert ingest.discover(env, "shop") == []
    put("a.csv", b"id\n2\n")
    assert len(ingest.discover(env, "shop")) == 1


def test_a_bucket_that_is_missing_is_worth_a_retry(open_env: OpenEnv, client: Any) -> None:
    text = YAML.replace("bucket/", "nowhere/")
    with pytest.raises(DependencyError, match="create the bucket"):
        open_source(open_env({"datasets/shop.yaml": text}), "shop").files()


def test_a_connection_says_where_and_who(
    open_env: OpenEnv,
    put: Callable[..., str],
    server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put("a.csv")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("TRIMTAB_CONN_LAND", f"aws://KEY:SECRET@/?endpoint_url={server}")
    assert names(source(open_env, settle="0s", connection="land")) == ["a.csv"]


def test_a_store_that_is_away_is_worth_a_retry_and_tells_no_secret(
    open_env: OpenEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "aws://KEY:PLANTED@/?endpoint_url=http://127.0.0.1:1"
    monkeypatch.setenv("TRIMTAB_CONN_LAND", address)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(DependencyError) as caught:
        source(open_env, connection="land").files()
    assert "127.0.0.1:1" in str(caught.value)
    assert "PLANTED" not in str(caught.value)


def test_a_queue_rings_once_for_what_landed(
    open_env: OpenEnv, put: Callable[..., str], client: Any
) -> None:
    sqs = s3.client("sqs")
    queue = sqs.create_queue(QueueName="landed")
    url = queue["QueueUrl"]
    told = {
        "QueueArn": "arn:aws:sqs:us-east-1:123456789012:landed",
        "Events": ["s3:ObjectCreated:*"],
    }
    client.put_bucket_notification_configuration(
        Bucket="bucket", NotificationConfiguration={"QueueConfigurations": [told]}
    )
    there = source(open_env, events=url, settle="0s")
    assert isinstance(there, Doorbell)
    while there.rung(0):  # S3 says hello to a new queue
        pass
    assert not there.rung(0)
    put("a.csv")
    assert there.rung(2)
    assert names(there) == ["a.csv"]
    assert not there.rung(0)

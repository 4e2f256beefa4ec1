"""From landing objects to versions: tables on a real S3 server, the ledger on PostgreSQL."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from trimtab.adapters import delta
from trimtab.cli import app
from trimtab.environment import Environment
from trimtab.errors import DependencyError
from trimtab.stages.ingest import discover, ingest
from trimtab.stages.publish import publish
from trimtab.stages.validate import validate
from trimtab.types import DatasetVersion

YAML = """
dataset: shop
owner: me
source: {{uri: s3://{bucket}/landing/shop, settle: 0s, poll: 1s}}
key: [id]
columns: {{id: {{type: text}}, amount: {{type: float, min: 0}}}}
"""
OpenEnv = Callable[[dict[str, str]], Environment]


@pytest.fixture
def env(s3_env: OpenEnv, bucket: str) -> Environment:
    return s3_env({"datasets/shop.yaml": YAML.format(bucket=bucket)})


@pytest.fixture
def land(s3: Any, bucket: str) -> Callable[[str, str], None]:
    def landed(name: str, text: str) -> None:
        s3.put_object(Bucket=bucket, Key=f"landing/shop/{name}", Body=text.encode())
        time.sleep(1.1)  # S3 tells the time in whole seconds

    return landed


def carry(env: Environment) -> list[DatasetVersion]:
    """Take everything that landed as far as it goes."""
    verdicts = [ingest(env, file) for file in discover(env, "shop")]
    accepted = [v.sha256 for v in verdicts if v.verdict == "accepted"]
    for sha256 in accepted:
        validate(env, "shop", sha256)
    return publish(env, "shop", accepted)


def table(env: Environment, version: int | None = None) -> dict[str, float]:
    rows = delta.scan(env.table("shop"), version).select("id", "amount").collect()
    return dict(rows.iter_rows())


def test_from_landing_to_versions(env: Environment, land: Callable[[str, str], None]) -> None:
    land("a.csv", "id,amount\n007,1.5\n2,2\n")
    (first,) = carry(env)
    assert (first.version, first.rows, first.total_rows) == (0, 2, 2)
    land("b.csv", "id,amount\n3,3\n4,minus\n" + "".join(f"x{i},1\n" for i in range(30)))
    (second,) = carry(env)
    assert second.total_rows == 33
    assert table(env, 0) == {"007": 1.5, "2": 2}
    assert len(table(env)) == 33
    assert carry(env) == []
    aside = [key for key in env.store.keys("quarantine/") if key.endswith(".parquet")]
    assert len(aside) == 1


def test_the_same_bytes_under_another_name_are_no_news(
    env: Environment, land: Callable[[str, str], None]
) -> None:
    land("a.csv", "id,amount\n1,1\n")
    carry(env)
    land("copy.csv", "id,amount\n1,1\n")
    assert [ingest(env, file).verdict for file in discover(env, "shop")] == ["duplicate"]
    assert discover(env, "shop") == []


def test_a_restated_object_is_judged_again(
    env: Environment, land: Callable[[str, str], None]
) -> None:
    land("a.csv", "id,amount\n1,1\n")
    carry(env)
    land("a.csv", "id,amount\n1,1\n2,2\n")
    (file,) = discover(env, "shop")
    assert ingest(env, file).verdict == "accepted"


def test_publishers_at_once_lose_and_double_nothing(
    env: Environment, s3_env: OpenEnv, land: Callable[[str, str], None]
) -> None:
    for name in "abcd":
        land(f"{name}.csv", "id,amount\n" + "".join(f"{name}{i},{i}\n" for i in range(5)))
    shas = [ingest(env, file).sha256 for file in discover(env, "shop")]
    for sha256 in shas:
        validate(env, "shop", sha256)
    orders = [shas, shas[::-1], shas[2:] + shas[:2], shas]
    made: list[list[DatasetVersion]] = []

    def publishing(env: Environment, order: list[str]) -> None:
        made.append(publish(env, "shop", order))

    threads = [threading.Thread(target=publishing, args=(s3_env({}), order)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(versions) for versions in made] == [4] * 4
    assert len({version.sha256 for versions in made for version in versions}) == 4
    assert len(table(env)) == 20
    assert delta.version(env.table("shop")) == 3


def test_the_trigger_rings_for_an_object(
    env: Environment, land: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from trimtab_airflow.triggers import new_data, watch

    monkeypatch.setenv("TRIMTAB_HOME", str(env.home))
    monkeypatch.setenv("TRIMTAB_CONFIG", str(env.project.folder))
    monkeypatch.setattr(watch, "_SHARED", [])
    monkeypatch.setattr(new_data, "_QUIET_START", 0.0)
    described = watch.fingerprint(env.project.dataset("shop").source)
    trigger = new_data.NewDataTrigger(dataset="shop", fingerprint=described)

    async def first() -> Any:
        run = trigger.run()
        event = asyncio.ensure_future(anext(run))
        await asyncio.sleep(1.5)
        assert not event.done()
        await asyncio.to_thread(land, "a.csv", "id,amount\n1,1\n")
        return (await asyncio.wait_for(event, 30)).payload

    assert asyncio.run(first()) == {"dataset": "shop", "files": ["a.csv"]}


def test_a_store_that_went_away_is_worth_a_retry(
    env: Environment, land: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    land("a.csv", "id,amount\n1,1\n")
    (file,) = discover(env, "shop")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(DependencyError, match="does not answer"):
        ingest(env, file)
    monkeypatch.undo()


def test_the_doctor_accepts_it(env: Environment, s3: Any, bucket: str) -> None:
    before = _keys(s3, bucket)
    result = CliRunner().invoke(
        app,
        ["doctor", "--json", "--config", str(env.project.folder), "--home", str(env.home)],
    )
    document = json.loads(result.stdout)
    refused = [f for f in document["findings"] if f["status"] == "refused"]
    assert (result.exit_code, refused) == (0, [])
    told = {finding["what"]: finding["text"] for finding in document["findings"]}
    assert told["store races"] == "of 8 writers at once 1 created the object"
    assert told["ledger"].startswith("postgresql")
    assert "refuses a wrong secret" in told["store credentials"]
    assert _keys(s3, bucket) - before <= {"lake/.trimtab/conditional-writes"}


def test_the_doctor_refuses_a_wrong_secret(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "PLANTED-wrong")
    result = CliRunner().invoke(
        app,
        ["doctor", "--json", "--config", str(env.project.folder), "--home", str(env.home)],
    )
    assert result.exit_code == 1
    assert "PLANTED" not in result.output
    refused = {f["what"] for f in json.loads(result.stdout)["findings"] if f["status"] == "refused"}
    assert {"store credentials", "store commits", "source shop"} <= refused


def test_polars_reads_what_is_staged(env: Environment, land: Callable[[str, str], None]) -> None:
    land("a.csv", "id,amount\n1,1\n")
    (verdict,) = [ingest(env, file) for file in discover(env, "shop")]
    rows = pl.scan_parquet(env.store.location(str(verdict.staged))).collect()
    assert rows.height == 1


def _keys(s3: Any, bucket: str) -> set[str]:
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {item["Key"] for item in listed}

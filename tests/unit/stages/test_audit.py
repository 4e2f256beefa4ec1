"""From a prediction back to everything that led to it, on a whole small life."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trimtab.environment import Environment
from trimtab.errors import DataError
from trimtab.stages.approve import approve
from trimtab.stages.audit import explain_prediction
from trimtab.stages.evaluate import evaluate
from trimtab.stages.explain import explain
from trimtab.stages.features import build_features
from trimtab.stages.promote import promote
from trimtab.stages.score import score
from trimtab.stages.train import train
from trimtab.types import Lineage


@pytest.fixture
def env(open_env: Any, rides: Any, publish: Any) -> Environment:
    """A promoted model of plants and one scored file."""
    kind = rides.FILES["models/kind.yaml"].replace("boosted_trees", "linear")
    env: Environment = open_env({**rides.FILES, "models/kind.yaml": kind})
    rides.publish_all(env, publish)
    candidate = train(env, "kind", build_features(env, "kind").key)
    assert evaluate(env, "kind", candidate.version).verdict == "PROMOTE"
    approve(env, "kind", candidate.version, approved=True, actor="ana", reason="looks right")
    promote(env, "kind", candidate.version)
    new = rides.plants(20).with_columns(plant="new " + pl.col("plant"))
    publish(env, "plants", new, "plants_2.csv")
    score(env, "kind")
    return env


def walk(node: Lineage) -> Iterator[Lineage]:
    yield node
    for child in node.children:
        yield from walk(child)


def test_a_prediction_leads_to_version_data_files_and_approver(env: Environment) -> None:
    rows = pl.read_delta(str(env.predictions("kind")))
    assert rows["prediction_id"].n_unique() == rows.height == 20
    row = rows.row(3, named=True)
    sha = row["_file"]
    assert row["prediction_id"] == f"kind:{sha[:16]}:{row['_row']}"

    told = explain_prediction(env, row["prediction_id"])
    assert told.facts["predicted"] == row["prediction"]
    assert told.facts["of"] == {"plant": row["plant"]}
    assert "entries fit" in told.facts["ledger"]
    nodes = {node.kind: node for node in walk(told)}
    assert (nodes["row of file"].name, nodes["row of file"].facts["sha256"]) == (
        "plants_2.csv",
        sha,
    )
    assert nodes["row of file"].facts["row"] == row["_row"]
    assert nodes["champion"].name == "kind@1 (promote)"
    assert (nodes["approval"].facts["by"], nodes["approval"].facts["reason"]) == (
        "ana",
        "looks right",
    )
    assert nodes["gate"].name == "PROMOTE"
    assert nodes["model version"].facts["files"].endswith("files as the ledger says")
    assert nodes["learnt from"].name == "plants@0"
    assert nodes["file"].name == "plants_1.csv"
    for node in walk(told):  # every decision names its entry
        if "entry" in node.facts:
            event = env.ledger.events(after=node.facts["entry"] - 1)[0]
            assert event.subject in ("kind", "plants")

    by_key = explain(env, "kind", {"plant": row["plant"]})
    assert by_key.prediction_id == row["prediction_id"]

    model = env.lake / nodes_uri(env) / "model.skops"
    model.write_bytes(model.read_bytes()[:-1])
    again = {node.kind: node for node in walk(explain_prediction(env, row["prediction_id"]))}
    assert again["model version"].facts["files"].startswith("NOT as the ledger says")

    for text, says in {
        "kind": "is no prediction; it is MODEL:FILE:ROW",
        f"kind:{sha[:15]}:1": "is no prediction",
        "kind:0000000000000000:1": "scored no such file",
        f"kind:{sha[:16]}:99": "no row 99",
    }.items():
        with pytest.raises(DataError, match=says):
            explain_prediction(env, text)


def nodes_uri(env: Environment) -> Path:
    event = env.ledger.latest("training", "kind")
    assert event
    return Path(event.payload["uri"])

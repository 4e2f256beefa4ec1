"""explain: the row as it was scored, contributions that sum, and errors that help."""

import json
import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from trimtab.cli import app
from trimtab.environment import Environment
from trimtab.errors import AdditivityError, DataError, NotReadyError
from trimtab.serving import loader
from trimtab.stages import importance as measured
from trimtab.stages.explain import explain, overview
from trimtab.stages.features import build_features
from trimtab.stages.promote import promote
from trimtab.stages.score import score
from trimtab.stages.train import train
from trimtab.training import shapley
from trimtab.types import Candidate, GateVerdict, Importance


@pytest.fixture
def env(open_env: Any, rides: Any, publish: Any) -> Environment:
    opened: Environment = open_env(rides.FILES)
    rides.publish_all(opened, publish)
    return opened


def trained(env: Environment, model: str) -> Candidate:
    return train(env, model, build_features(env, model).key)


def champion(env: Environment, model: str) -> Candidate:
    candidate = trained(env, model)
    verdict = GateVerdict(
        model=model, version=candidate.version, verdict="PROMOTE", reasons=("good",), rules=(),
        primary="m", value=1.0, interval=(1.0, 1.0), rows=1,
    )  # fmt: skip
    env.ledger.append("gate", model, f"{candidate.version}:0", verdict.to_json())
    approved = {"model": model, "version": candidate.version, "approved": True, "actor": "auto"}
    env.ledger.append("approval", model, str(candidate.version), approved)
    promote(env, model, candidate.version)
    return candidate


def test_a_scored_row_is_explained_as_it_was_scored(
    env: Environment, rides: Any, publish: Any
) -> None:
    candidate = champion(env, "late")
    later = rides.rides(60, first=400, day=20, days=1)
    publish(env, "air", rides.air(day=20, days=3), "air_2.csv")
    version = publish(env, "rides", later, "rides_2.csv").version
    score(env, "late")
    publish(env, "rides", rides.rides(60, first=460, day=21, days=1), "rides_3.csv")
    found = explain(env, "late", {"ride": "407"})
    assert (found.version, found.generation, found.key) == (candidate.version, 1, {"ride": 407})
    assert found.versions["rides"] == version
    assert found.scored == env.clock.now()
    assert found.features["km"] == later["km"][7]
    assert set(found.contributions) == set(candidate.features.features)
    assert found.base + sum(found.contributions.values()) == pytest.approx(found.score, rel=1e-6)
    assert found.scale == "log-odds"
    assert found.probability == pytest.approx(1 / (1 + math.exp(-found.score)), abs=1e-9)
    assert found.recorded == pytest.approx(found.prediction, abs=1e-12)
    sizes = [abs(value) for value in found.contributions.values()]
    assert sizes == sorted(sizes, reverse=True)
    fresh = explain(env, "late", {"ride": "461"})
    assert (fresh.scored, fresh.generation, fresh.recorded) == (None, None, None)
    assert fresh.versions["rides"] > version


@pytest.mark.parametrize(("model", "key"), [("kind", {"plant": "p3"}), ("minutes", {"ride": "5"})])
def test_classes_and_numbers(env: Environment, model: str, key: dict[str, str]) -> None:
    candidate = trained(env, model)
    with pytest.raises(NotReadyError, match="no champion"):
        explain(env, model, key)
    found = explain(env, model, key, version=1)
    loaded = loader.load(env.lake, candidate)
    answer = loaded.predict(pl.DataFrame([found.features]).to_pandas())[0]
    if model == "kind":
        assert found.explains == found.prediction == loaded.classes[answer.argmax()]
        assert found.probability == pytest.approx(answer.max())
    else:
        assert (found.scale, found.probability) == ("value", None)
        assert found.score == pytest.approx(float(answer)) == found.prediction
    assert found.base + sum(found.contributions.values()) == pytest.approx(found.score)


def test_keys_that_match_no_row_or_several(env: Environment, rides: Any, publish: Any) -> None:
    trained(env, "late")
    with pytest.raises(DataError, match=r"no row of rides version 0 with ride = 9999; its key is"):
        explain(env, "late", {"ride": "9999"}, version=1)
    with pytest.raises(DataError, match=r"plate is no key column of rides; its key is ride \(int"):
        explain(env, "late", {"plate": "A"}, version=1)
    with pytest.raises(DataError, match=r"ride .*no int: 'x'"):
        explain(env, "late", {"ride": "x"}, version=1)
    with pytest.raises(NotReadyError, match="trained versions: 1"):
        explain(env, "late", {"ride": "1"}, version=7)
    publish(env, "rides", rides.rides(5), "again.csv")
    with pytest.raises(DataError, match="2 rows of rides"):
        explain(env, "late", {"ride": "1"}, version=1)


def test_shap_that_does_not_add_up_costs_the_figure_and_is_told(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*given: Any, **more: Any) -> Any:
        raise AdditivityError("HistGradientBoostingClassifier: the contributions do not sum")

    with monkeypatch.context() as broken:
        broken.setattr(shapley, "fast", wrong)
        candidate = trained(env, "kind")
        found = explain(env, "kind", {"plant": "p3"}, version=1)
    assert "figures/shap.png" not in candidate.manifest
    worth = measured.of(env, candidate)
    assert worth is not None
    assert "do not sum" in worth.shap_method
    assert worth.shap_rows == 0
    assert all(column.shap is None for column in worth.columns)
    assert found.method.startswith("sampled Shapley values")
    assert found.base + sum(found.contributions.values()) == pytest.approx(found.score)


def test_the_package_holds_worth_and_figures(env: Environment) -> None:
    candidate = trained(env, "minutes")
    worth = overview(env, "minutes")[1]
    assert {column.column for column in worth.columns} == set(candidate.features.features)
    assert worth.columns[0].column == "km"
    assert not worth.columns[0].useless
    assert (worth.metric, worth.shap_scale) == ("r2", "value")
    means = [column.permutation for column in worth.columns]
    assert means == sorted(means, reverse=True)
    assert worth == Importance.model_validate(worth.to_json())
    pictures = {name for name in candidate.manifest if name.endswith(".png")}
    names = ("importance", "learning", "residuals", "shap")
    assert pictures == {f"figures/{name}.png" for name in names}
    for name in pictures:
        assert loader.read(env.lake, candidate, name).startswith(b"\x89PNG")


def test_a_version_of_before_has_no_importance(env: Environment) -> None:
    candidate = trained(env, "kind")
    manifest = {n: s for n, s in candidate.manifest.items() if n != "importance.json"}
    assert measured.of(env, candidate.model_copy(update={"manifest": manifest})) is None


def test_command_line(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(env, "kind")
    folder = env.project.folder
    monkeypatch.setenv("TRIMTAB_HOME", str(env.home))
    monkeypatch.setenv("TRIMTAB_CONFIG", str(folder))

    def call(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["explain", *arguments])

    whole = call("kind")
    assert whole.exit_code == 0
    assert "height" in whole.stdout
    document = json.loads(call("kind@1", "--json").stdout)
    assert document["version"] == 1
    assert document["columns"][0]["column"] == "height"
    row = call("kind@1", "--id", "p3")
    assert "kind version 1, plant = p3" in row.stdout
    told = json.loads(call("kind", "--version", "1", "--id", "plant=p3", "--json").stdout)
    assert np.isclose(told["base"] + sum(told["contributions"].values()), told["score"])
    assert call("kind@1", "--version", "2").exit_code == 2, "wrong usage"
    assert call("kind@1", "--id", "height=3").exit_code == 1

"""The gate on whole versions: what it lets pass, and everything it must not."""

import json
from datetime import timedelta
from typing import Any

import pytest

from trimtab.errors import DependencyError, IntegrityError, NotReadyError
from trimtab.evaluation import rules
from trimtab.stages.evaluate import evaluate
from trimtab.stages.rollback import rollback
from visits import leaking


def failed(verdict: Any) -> dict[str, str]:
    return {rule.name: rule.decides for rule in verdict.rules if not rule.passed}


def test_first_version_is_judged_by_thresholds_and_baselines(world: Any) -> None:
    verdict = world.judged(1)
    assert verdict.verdict == "PROMOTE", verdict.reasons
    assert verdict.champion is None
    low, high = verdict.interval
    assert 0.6 < low < verdict.value < high < 1
    assert verdict.metrics["dummy.roc_auc"] == 0.5
    page = world.env.reports / verdict.report
    assert "PROMOTE" in page.read_text()
    assert json.loads(page.with_name("gate.json").read_text())["verdict"] == "PROMOTE"


def test_second_call_returns_the_record_and_loads_nothing(world: Any) -> None:
    first = world.judged(1)
    world.models.clear()
    assert evaluate(world.env, "buys", 1) == first
    assert len(world.env.ledger.events("gate", "buys")) == 1


def test_the_same_content_gives_the_same_verdict(world: Any) -> None:
    world.champion(1, noise=0.4, seed=1)
    first = world.judged(2, noise=0.4, seed=2)
    again = world.env.ledger.find("gate", "buys", "2:1").payload
    assert first.to_json() == again
    assert first.difference is not None


def test_equal_models_pass_non_inferior_and_not_superior(new_world: Any) -> None:
    loose = new_world({"margin: 0.01": "margin: 0.05"})
    loose.champion(1, noise=0.3, seed=1)
    assert loose.judged(2, noise=0.3, seed=2).verdict == "PROMOTE"


def test_equal_models_are_not_superior(new_world: Any) -> None:
    strict = new_world(mode="superior")
    strict.champion(1, noise=0.3, seed=1)
    verdict = strict.judged(2, noise=0.3, seed=2)
    assert verdict.verdict != "PROMOTE"
    assert "versus_champion" in failed(verdict)


def test_a_planted_gain_is_superior(new_world: Any) -> None:
    world = new_world(mode="superior")
    world.champion(1, noise=0.5, seed=1)
    verdict = world.judged(2, noise=0.0)
    assert verdict.verdict == "PROMOTE", verdict.reasons
    assert verdict.difference[0] > 0


def test_a_planted_loss_is_refused(world: Any) -> None:
    world.champion(1)
    verdict = world.judged(2, noise=1.2, seed=3)
    assert verdict.verdict == "REJECT"
    assert failed(verdict)["versus_champion"] == "reject"
    assert any("champion version 1" in reason for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("answers", "rule"),
    [
        ({"answer": "constant"}, "beats_dummy"),
        ({"answer": "nan"}, "challenger_answers"),
        ({"answer": "crash"}, "challenger_answers"),
        ({"broken": IntegrityError("hash differs")}, "challenger_answers"),
    ],
)
def test_bad_challengers_are_refused_by_name(world: Any, answers: Any, rule: str) -> None:
    verdict = world.judged(1, **answers)
    assert verdict.verdict == "REJECT"
    assert rule in failed(verdict)
    assert (world.env.reports / verdict.report).exists()


def test_a_champion_that_cannot_be_loaded_refuses_and_is_named(world: Any) -> None:
    world.champion(1)
    world.models[1, "model"] = IntegrityError("model.skops has another hash than the ledger says")
    verdict = world.judged(2)
    assert verdict.verdict == "REJECT"
    assert failed(verdict) == {"champion_answers": "reject"}
    assert "another hash" in verdict.reasons[0]


def test_a_store_that_does_not_answer_gives_no_verdict(world: Any) -> None:
    with pytest.raises(DependencyError):
        world.judged(1, broken=DependencyError("the store is away"))
    assert world.env.ledger.events("gate", "buys") == []


def test_an_exception_inside_a_rule_refuses(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(rules, "threshold", broken)
    verdict = world.judged(1)
    assert verdict.verdict == "REJECT"
    assert failed(verdict) == {"threshold": "reject"}
    assert "ZeroDivisionError" in verdict.reasons[0]


def test_a_bad_slice_is_refused_though_the_whole_is_fine(new_world: Any) -> None:
    world = new_world({"margin: 0.01": "margin: 0.2", "min: 0.6\n": "min: 0.55\n"})
    world.champion(1)
    verdict = world.judged(2, bad_shop="south")
    assert failed(verdict) == {"slice_regression": "reject", "linear_baseline": "reject"} or failed(
        verdict
    ) == {"slice_regression": "reject"}
    assert "shop = south" in " ".join(verdict.reasons)


def test_a_slice_below_the_floor_is_refused(new_world: Any) -> None:
    world = new_world(
        {
            "margin: 0.01": "margin: 0.2",
            "min: 0.6\n": "min: 0.55\n",
            "slices: [shop]": "slices: [shop]\n  slice_floor: 0.6",
        }
    )
    verdict = world.judged(1, bad_shop="south")
    assert failed(verdict) == {"slice_floor": "reject"}


def test_small_slices_are_skipped_and_counted(new_world: Any) -> None:
    verdict = new_world({"slice_min_rows: 200": "slice_min_rows: 50000"}).judged(1)
    told = next(rule for rule in verdict.rules if rule.name == "slices")
    assert verdict.slices == ()
    assert told.passed
    assert "3 with" in told.reason


def test_overlap_with_the_champions_training_is_refused(world: Any) -> None:
    world.champion(1, holdout_days=14)
    verdict = world.judged(2, holdout_days=20)
    assert verdict.verdict == "REJECT"
    told = next(rule for rule in verdict.rules if rule.name == "unseen_rows")
    assert not told.passed
    assert told.value > 0
    assert "champion was trained until" in told.reason


def test_the_same_rows_under_new_times_are_still_overlap(world: Any, make_rows: Any) -> None:
    world.champion(1)
    moved = make_rows().with_columns(at=make_rows()["at"] + timedelta(days=30))
    verdict = world.judged(2, data=moved, holdout_days=40)
    told = next(rule for rule in verdict.rules if rule.name == "unseen_rows")
    assert not told.passed
    assert "trained on them" in told.reason


def test_too_few_rows_hold_and_say_how_many_are_missing(new_world: Any) -> None:
    world = new_world({"min_rows: 300": "min_rows: 50000"})
    verdict = world.judged(1)
    assert verdict.verdict == "HOLD"
    assert f"{50_000 - verdict.rows:,} more labelled rows are needed" in verdict.reasons[0]
    assert verdict.to_json()["value"] is None


def test_no_rows_at_all_hold(world: Any, make_rows: Any) -> None:
    data = make_rows()
    verdict = world.judged(1, data=data, until=data["at"].max() + timedelta(days=1))
    assert (verdict.verdict, verdict.rows) == ("HOLD", 0)


def test_a_single_class_holds(world: Any, make_rows: Any) -> None:
    from polars import lit

    verdict = world.judged(1, data=make_rows().with_columns(_target=lit(0)))
    assert verdict.verdict == "HOLD"
    assert failed(verdict) == {"both_classes": "hold", "leaks": "hold"}


def test_a_slice_column_that_is_not_there_refuses(new_world: Any) -> None:
    verdict = new_world({"slices: [shop]": "slices: [bought]"}).judged(1)
    assert verdict.verdict == "REJECT"
    assert failed(verdict)["slices"] == "reject"


def test_a_column_the_champion_needs_and_the_rows_lack_refuses(world: Any, make_rows: Any) -> None:
    world.champion(1)
    trained = world.train(2, data=make_rows().drop("shop"))
    features = trained.features.model_copy(update={"categorical": ()})
    fewer = trained.model_copy(update={"version": 3, "key": "fewer", "features": features})
    world.env.ledger.append("version_number", "buys", "3", {"key": "fewer"})
    world.env.ledger.append("training", "buys", "fewer", fewer.to_json())
    for name in ("model", "baseline_dummy", "baseline_linear"):
        world.models[3, name] = world.models[2, name]
    verdict = evaluate(world.env, "buys", 3)
    assert failed(verdict) == {"champion_answers": "reject"}
    assert "no column shop" in " ".join(verdict.reasons)


def test_the_report_escapes_what_the_data_bring(world: Any) -> None:
    world.champion(1)
    verdict = world.judged(2)
    page = (world.env.reports / verdict.report).read_text()
    card = (world.env.reports / "models/buys/v1/card.html").read_text()
    text = (world.env.reports / "models/buys/v1/card.md").read_text()
    assert "&lt;script&gt;alert(1)" in page
    for rendered in (page, card, text):
        assert "<script>alert(1)" not in rendered
    assert "<b>bold</b>" not in card


def test_a_verdict_against_an_older_champion_is_judged_again(world: Any) -> None:
    world.champion(1)
    world.judged(2, noise=0.05, seed=1)
    world.champion(3)
    again = evaluate(world.env, "buys", 2)
    assert again.champion == 3
    keys = [event.key for event in world.env.ledger.events("gate", "buys")]
    assert {"2:1", "2:2"} <= set(keys)


def test_the_champion_keeps_its_own_verdict(world: Any) -> None:
    world.champion(1)
    before = len(world.env.ledger.events("gate", "buys"))
    assert evaluate(world.env, "buys", 1).verdict == "PROMOTE"
    assert len(world.env.ledger.events("gate", "buys")) == before


def test_an_untrained_version_says_which_there_are(world: Any) -> None:
    world.train(1)
    with pytest.raises(NotReadyError, match="trained versions: 1"):
        evaluate(world.env, "buys", 7)


def test_tracking_that_is_away_does_not_undo_the_verdict(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise ConnectionError("no MLflow")

    monkeypatch.setattr(type(world.env.tracker), "log_gate", away)
    monkeypatch.setattr(type(world.env.tracker), "registered", away)
    assert world.champion(1).version == 1
    assert rollback_is_refused(world)


def rollback_is_refused(world: Any) -> bool:
    from trimtab.errors import GateRefusedError

    with pytest.raises(GateRefusedError, match="only champion there ever was"):
        rollback(world.env, "buys", to=None, reason="try", actor="ana")
    return True


def test_uncommitted_code_is_marked(world: Any) -> None:
    marked = world.judged(1)
    assert marked.verdict == "PROMOTE"
    told = next(rule for rule in marked.rules if rule.name == "clean_code")
    assert "would refuse it" in told.reason


def test_uncommitted_code_is_refused_in_production(new_world: Any) -> None:
    place = {"environments/local.yaml": "environment: local\nproduction: true\n"}
    world = new_world(place=place)
    verdict = world.judged(1)
    assert verdict.verdict == "REJECT"
    assert failed(verdict) == {"clean_code": "reject"}
    assert "no commit" in verdict.reasons[0]


def test_a_leak_blocks_by_its_name_and_what_it_gives_is_shown(world: Any, make_rows: Any) -> None:
    verdict = world.judged(1, data=leaking(make_rows()))
    assert verdict.verdict == "REJECT"
    assert failed(verdict) == {"leaks": "reject"}
    assert "Leak suspected: signal (" in verdict.reasons[0]
    assert verdict.value > 0.99
    page = (world.env.reports / verdict.report).read_text()
    assert "No feature gives the target away" in page


def test_a_trusted_feature_passes_and_the_verdict_says_so(new_world: Any, make_rows: Any) -> None:
    trust = {"target: {column: bought": "features: {trust: [signal]}\ntarget: {column: bought"}
    verdict = new_world(trust).judged(1, data=leaking(make_rows()))
    assert verdict.verdict == "PROMOTE"
    assert any("Trusted by the model file" in reason for reason in verdict.reasons)


def test_a_leak_rule_that_cannot_be_judged_refuses(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: Any) -> Any:
        raise RuntimeError("no rows today")

    monkeypatch.setattr("trimtab.evaluation.leaks.score", broken)
    verdict = world.judged(1)
    assert verdict.verdict == "REJECT"
    assert "leaks could not be judged: RuntimeError: no rows today" in verdict.reasons


def test_judged_rows_that_changed_after_the_training_are_refused(world: Any) -> None:
    from polars import col, read_parquet, when

    candidate = world.train(1)
    file = world.env.lake / candidate.features.uri
    late = col("visit") == col("visit").max()
    changed = when(late).then(1 - col("_target")).otherwise(col("_target"))
    read_parquet(file).with_columns(changed.alias("_target")).write_parquet(file)
    verdict = evaluate(world.env, "buys", 1)
    assert verdict.verdict == "REJECT"
    assert failed(verdict) == {"frozen_holdout": "reject"}


def test_the_verdict_names_the_rows_it_was_judged_on(world: Any) -> None:
    candidate = world.train(1)
    verdict = evaluate(world.env, "buys", 1)
    assert verdict.holdout_sha256 == candidate.features.holdout_sha256
    assert len(verdict.holdout_sha256) == 64


def test_copies_of_judged_rows_in_the_training_rows_are_refused(world: Any, make_rows: Any) -> None:
    from polars import col, concat

    data = make_rows()
    cut = data["at"].max() - timedelta(days=14)
    again = data.filter(col("at") >= cut).head(200)
    again = again.with_columns(visit=col("visit") + 10**6, at=col("at") - timedelta(days=30))
    verdict = world.judged(1, data=concat([data, again]))
    assert failed(verdict) == {"unseen_rows": "reject"}
    assert "200 of the judged rows" in verdict.reasons[0]
    assert "copies of them under other keys" in verdict.reasons[0]


def test_rows_that_only_the_search_has_seen_are_refused(world: Any) -> None:
    """An earlier set reached further; its best parameters were chosen on what is judged now."""
    wide = world.train(1, holdout_days=3)
    world.env.ledger.append("features", "buys", wide.features.key, wide.features.to_json())
    ours = world.train(2)
    warm = ours.model_copy(update={"version": 3, "key": "warm", "tuned_on": wide.features.key})
    world.env.ledger.append("version_number", "buys", "3", {"key": "warm"})
    world.env.ledger.append("training", "buys", "warm", warm.to_json())
    for name in ("model", "baseline_dummy", "baseline_linear"):
        world.models[3, name] = world.models[2, name]
    assert evaluate(world.env, "buys", 2).verdict == "PROMOTE"
    verdict = evaluate(world.env, "buys", 3)
    assert failed(verdict) == {"unseen_rows": "reject"}
    assert "the search before the challenger was trained until" in verdict.reasons[0]


@pytest.mark.parametrize(
    ("family", "passed"), [("boosted_trees", False), ("linear", True), ("nobody_knows", False)]
)
def test_a_model_earns_its_complexity(world: Any, family: str, passed: bool) -> None:
    known = world.train(1, noise=0.5)
    again = known.model_copy(update={"version": 2, "key": "two", "estimator": family})
    world.env.ledger.append("version_number", "buys", "2", {"key": "two"})
    world.env.ledger.append("training", "buys", "two", again.to_json())
    for name in ("model", "baseline_dummy"):
        world.models[2, name] = world.models[1, name]
    world.models[2, "baseline_linear"] = world.models[1, "model"]  # as good as the challenger
    verdict = evaluate(world.env, "buys", 2)
    assert ("linear_baseline" in failed(verdict)) is not passed
    assert (verdict.verdict == "PROMOTE") is passed


def test_the_margin_over_the_linear_model_is_asked_for(new_world: Any) -> None:
    world = new_world({"min_rows: 300": "min_rows: 300\n  versus_linear: 0.4"})
    assert failed(world.judged(1)) == {"linear_baseline": "reject"}


def test_too_few_groups_of_rows_hold(new_world: Any) -> None:
    verdict = new_world({"margin: 0.01": "margin: 0.01, group: shop"}).judged(1)
    assert verdict.verdict == "HOLD"
    assert failed(verdict) == {"enough_groups": "hold"}
    assert "of 3 values of shop" in verdict.reasons[0]


def test_chances_that_are_pushed_are_refused(new_world: Any) -> None:
    world = new_world({"min_rows: 300": "min_rows: 300\n  calibration: 0.1"})
    world.judged(1)
    verdict = world.judged(2, scale=6.0)
    assert failed(verdict) == {"calibration": "reject"}
    assert verdict.calibration > 0.1

from typing import Any

from trimtab.monitoring import incidents
from trimtab.watch import Incident, Triage


def found(model: str = "m", **more: Any) -> Triage:
    told = {
        "cause": "upstream_fault", "action": "quarantine", "severity": "error", "key": "a" * 64,
        "version": 1, "partition": "p", "reason": "r", "evidence": ("data:rain", "quality:rain missing"),
        **more,
    }  # fmt: skip
    return Triage(model=model, **told)


def about(model: str = "m", **more: Any) -> Incident:
    wanted = incidents.about(found(model, **more), {"rain": "weather"}, "rides")
    assert wanted
    return wanted


def test_an_incident_is_of_the_dataset_the_columns_come_from() -> None:
    assert about().dataset == "weather"
    assert about().title == "weather: upstream fault"
    assert about(evidence=("quality:rain missing",)).dataset == "weather"
    assert about(evidence=("quality:rainfall missing",)).dataset == "rides"
    assert about(evidence=("data:km", "data:rain", "data:km [zone=north]")).dataset == "rides"
    assert about(evidence=()).dataset == "rides"


def test_nobody_is_told_of_what_is_only_watched() -> None:
    calm = found(cause="covariate_shift", action="watch", severity="info")
    assert incidents.about(calm, {}, "rides") is None
    explained = found(action="nothing", severity="info")
    assert incidents.about(explained, {}, "rides") is None


def test_models_of_one_dataset_share_the_fault() -> None:
    first = about("m")
    joined = incidents.joined(about("n"), [first])
    assert joined
    assert joined.models == ("m", "n")
    assert joined.id == first.id
    assert incidents.joined(about("n", evidence=("data:km",)), [first]) is None, "another dataset"
    assert incidents.joined(about("n", cause="label_delay"), [first]) is None, "another cause"


def test_forty_models_are_one_incident() -> None:
    standing = [about("m0")]
    for i in range(1, 40):
        joined = incidents.joined(about(f"m{i}"), standing)
        assert joined
        standing = [joined]
    assert len(standing[0].models) == 40


def test_what_is_the_models_own_is_not_shared() -> None:
    mine = about("m", cause="bad_champion", action="roll_back")
    other = about("n", cause="bad_champion", action="roll_back")
    assert incidents.joined(other, [mine]) is None
    assert incidents.joined(about("m", cause="bad_champion", key="b" * 64), [mine]) == mine
    assert mine.title == "m: bad champion"


def test_it_is_over_when_no_model_has_it() -> None:
    both = incidents.joined(about("n"), [about("m")])
    assert both
    calm = {"cause": "nothing", "action": "nothing", "severity": "info"}
    assert not incidents.over(both, {"m": found("m", **calm), "n": found("n")})
    assert not incidents.over(both, {"m": found("m", **calm)}), "the other is still waited for"
    assert incidents.over(both, {"m": found("m", **calm), "n": found("n", **calm)})


def test_the_same_window_opens_the_same_incident() -> None:
    assert about() == about()
    assert about().id != about(key="b" * 64).id

import numpy as np
import polars as pl
import pytest

from trimtab.monitoring import detect, joint, profile, runs
from trimtab.monitoring.joint import ERROR
from trimtab.monitoring.null import null
from trimtab.monitoring.profile import Kind

KINDS: dict[str, Kind] = {**dict.fromkeys(["a", "b", "c", "d"], "numeric"), "k": "categorical"}


def rows(seed: int, count: int = 2000, *, apart: bool = False) -> pl.DataFrame:
    """Four columns that go together; ``apart`` each has the same values in an order of its own."""
    draw = np.random.default_rng(seed)
    common = draw.normal(size=count)
    columns = {name: common + draw.normal(size=count) * 0.3 for name in "abcd"}
    if apart:
        columns = {name: draw.permutation(values) for name, values in columns.items()}
    kind = np.where(common + draw.normal(size=count) * 0.3 > 0, "x", "y")
    return pl.DataFrame({**columns, "k": kind})


PROFILES = profile.build(rows(0, 10_000), KINDS)


def chances(frame: pl.DataFrame) -> tuple[float, float]:
    """Smallest chance of a single column, and that of the columns together."""
    reference = rows(0, 10_000)
    basis = joint.fit(reference, PROFILES)
    assert basis is not None
    error = joint.errors(reference, basis).to_frame()
    before = profile.build(error, {ERROR: "numeric"})
    expected = null(runs.cut(error, before, None).of(ERROR), frame.height)
    now = profile.measure(joint.errors(frame, basis).to_frame(), before)
    alone = detect.compare(PROFILES, profile.measure(frame, PROFILES), detect.Monitor())
    together = expected.p_value(detect.distance(before[ERROR], now[ERROR]).psi)
    return min(c.finding.p_value or 0 for c in alone), together


def test_columns_that_no_longer_go_together() -> None:
    alone, together = chances(rows(1, apart=True))
    assert alone > 1e-3, "no column by itself has changed"
    assert together < 1e-6


def test_without_a_change() -> None:
    assert min(chances(rows(seed))[1] for seed in range(2, 6)) > 1e-3


def test_odd_values_are_no_error() -> None:
    basis = joint.fit(rows(0), PROFILES)
    assert basis is not None
    odd = rows(1).with_columns(
        a=pl.lit(float("inf")), b=pl.lit(None, pl.Float64), k=pl.lit("never seen")
    )
    assert np.isfinite(joint.errors(odd, basis).to_numpy()).all()
    assert joint.Basis.model_validate_json(basis.model_dump_json()) == basis
    with pytest.raises(ValueError, match="not readable now: c, d"):
        joint.errors(rows(1).drop("c", "d"), basis)


def test_fewer_than_three_columns_have_nothing_in_common() -> None:
    assert joint.fit(rows(0), {name: PROFILES[name] for name in ("a", "k")}) is None
    flat = pl.DataFrame({name: np.ones(100) for name in "abcd"})
    assert joint.fit(flat, profile.build(flat, dict.fromkeys("abcd", "numeric"))) is None


def test_a_large_window_is_looked_at_evenly() -> None:
    frame = pl.DataFrame({"i": np.arange(250_000)})
    seen = joint.sample(frame)
    assert seen.height <= joint.ROWS
    assert seen["i"][-1] > 249_990

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from trimtab.monitoring import distance


def test_psi_of_a_known_example() -> None:
    # 0.4 ln(0.4/0.5) twice over: (0.4-0.5)ln(0.8) + (0.6-0.5)ln(1.2)
    value = distance.psi([500_000, 500_000], [400_000, 600_000])
    assert value == pytest.approx(-0.1 * np.log(0.8) + 0.1 * np.log(1.2), rel=1e-4)


def test_psi_is_symmetric_and_zero_for_equal_shares() -> None:
    assert distance.psi([10, 20, 30], [10, 20, 30]) == 0
    assert distance.psi([10, 20, 70], [30, 30, 40]) == distance.psi([30, 30, 40], [10, 20, 70])


def test_an_empty_bin_is_finite() -> None:
    assert 0 < distance.psi([1000, 0], [900, 100]) < 10


def test_jensen_shannon_equals_scipys() -> None:
    p, q = [100_000, 300_000, 600_000], [300_000, 300_000, 400_000]
    assert distance.jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, base=2), rel=1e-3)


def test_noise_floor_is_the_mean_of_psi_without_change() -> None:
    draw = np.random.default_rng(0)
    shares = np.full(10, 0.1)
    seen = [
        distance.psi(draw.multinomial(5000, shares), draw.multinomial(1000, shares))
        for _ in range(400)
    ]
    assert np.mean(seen) == pytest.approx(distance.noise_floor(10, 5000, 1000), rel=0.1)


def test_nothing_to_compare_is_all_noise() -> None:
    assert distance.noise_floor(10, 5000, 0) == float("inf")

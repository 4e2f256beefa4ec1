"""How often the gate errs, how much it sees, and that what is planted is refused by its name.

make bench        # or: uv run --all-extras pytest tests/benchmarks/test_gate.py -m benchmark -s

``SEEDS`` makes it smaller. Truth and answers are simulated (tests/simulation.py), so that the real
difference is known; every draw goes through the whole gate.
"""

import itertools
import os
from math import sqrt
from typing import Any

import pytest

from simulation import World, promoted, verdicts

SEEDS = range(int(os.environ.get("SEEDS", "500")))
MOST = 0.05  # of equal models may be promoted
WORLDS = {
    "independent rows, ROC AUC": World(rows=1000),
    "independent rows, absolute error": World("regression", rows=1000),
    "28 days, absolute error": World("regression", rows=1000, day_spread=0.4),
    "40 groups, absolute error": World("regression", rows=1000, group_spread=0.4),
    "days and groups": World("regression", rows=1000, day_spread=0.3, group_spread=0.3),
}


def error(share: float) -> float:
    """Standard error of a share of the seeds."""
    return sqrt(share * (1 - share) / len(SEEDS))


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", WORLDS)
def test_equal_models_in_superior_mode(name: str) -> None:
    world, versus = WORLDS[name], {"mode": "superior", "margin": 0.0, "resamples": 500}
    found = promoted(verdicts(world, SEEDS, **versus))
    naive = promoted(verdicts(world, SEEDS, naive=True, **versus))
    print(
        f"\n{name}: {found:.1%} of {len(SEEDS)} equal models promoted (goal <= {MOST:.0%}); "
        f"{naive:.1%} when rows are drawn one by one"
    )
    assert found <= MOST
    if world.day_spread or world.group_spread:
        assert naive > 2 * MOST


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("margin", "rows"), [(0.02, 2000), (0.05, 2000)])
def test_non_inferior_mode(margin: float, rows: int) -> None:
    options = {"margin": margin, "resamples": 500}
    equal = promoted(verdicts(World(rows=rows), SEEDS, **options))
    worse = promoted(verdicts(World(rows=rows, gain=-margin), SEEDS, **options))
    print(
        f"\nnon-inferior by {margin} ROC AUC on {rows:,} rows: {equal:.1%} of equal models "
        f"promoted, {worse:.1%} of models worse by the margin (goal <= {MOST:.0%})"
    )
    assert worse <= MOST


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_power_of_superior_mode() -> None:
    gains, seeds = (0.0, 0.01, 0.02, 0.03, 0.05, 0.08), range(len(SEEDS) // 5)
    versus: dict[str, Any] = {"mode": "superior", "margin": 0.005, "resamples": 500}
    print(f"\nshare promoted by true gain in ROC AUC, {len(seeds)} seeds each, margin 0.005")
    print("   rows " + "".join(f"{gain:>8}" for gain in gains))
    for rows in (1000, 4000, 16_000):
        power = [promoted(verdicts(World(rows=rows, gain=g), seeds, **versus)) for g in gains]
        print(f"{rows:>7} " + "".join(f"{share:>8.0%}" for share in power))
        assert power[0] <= MOST + 2 * error(MOST)
        assert all(b >= a - 0.1 for a, b in itertools.pairwise(power))
    assert power[-1] == 1


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_as_many_labels_as_hold_asks_for_decide() -> None:
    """One HOLD each: its advice is taken, and a new draw of that many rows is judged."""
    versus: dict[str, Any] = {"mode": "superior", "margin": 0.005, "resamples": 500}
    asked = []
    for seed in SEEDS[::5]:
        (first,) = verdicts(World(rows=1500, gain=0.03), [seed], **versus)
        if first.verdict == "HOLD" and first.labels_needed:
            asked.append((seed, 1500 + first.labels_needed))
    decided = [
        verdicts(World(rows=rows, gain=0.03), [seed + 10_000], **versus)[0].verdict != "HOLD"
        for seed, rows in asked
    ]
    share = sum(decided) / len(decided)
    print(f"\n{share:.0%} of {len(asked)} HOLDs were decided by the labels they asked for")
    assert share > 0.5

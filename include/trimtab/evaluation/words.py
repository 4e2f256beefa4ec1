"""How numbers and metrics are written in sentences that people read."""

import html
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

_NAMES = {
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "accuracy": "accuracy",
    "f1": "F1",
    "f1_macro": "macro F1",
    "neg_log_loss": "log loss (negative)",
    "neg_brier_score": "Brier score (negative)",
    "r2": "R²",
    "neg_mean_absolute_error": "mean absolute error (negative)",
    "neg_root_mean_squared_error": "root mean squared error (negative)",
}


def metric(name: str) -> str:
    """Name a metric; errors carry a minus sign so that higher is always better."""
    return _NAMES.get(name, name.replace("_", " "))


def number(value: float | None) -> str:
    """Four significant digits, three below 0.1; what is missing or infinite says so."""
    if value is None or math.isnan(value):
        return "not computable"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    if abs(value) < 1e-4:
        return f"{value:.2g}"
    digits = max(0, (2 if abs(value) < 0.1 else 3) - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def search(trials: int, gain: float | None, name: str) -> str:
    """Say what a search has brought over the best defaults."""
    count = f"{trials} trial" if trials == 1 else f"{trials} trials"
    if gain is None or math.isnan(gain):
        return count
    return f"{count} brought {signed(gain)} {metric(name)} over the best defaults"


def signed(value: float | None) -> str:
    """A difference, with its sign."""
    text = number(value)
    return f"+{text}" if value is not None and value > 0 else text


def between(low: float, high: float, *, sign: bool = False) -> str:
    """An interval in words."""
    write = signed if sign else number
    return f"{write(low)} to {write(high)}"


def percent(share: float) -> str:
    """A share as a percentage, four digits at most."""
    return f"{100 * share:.4g} %"


def commit(sha: str | None, *, dirty: bool) -> str:
    """The commit something was made from, and whether that is the whole truth."""
    if sha is None:
        return "none (not in a repository)"
    return f"{sha} with uncommitted changes" if dirty else sha


def hardware(name: str, value: object) -> str:
    """One fact about a machine."""
    if name == "memory" and isinstance(value, int):
        return f"{value / 2**30:.1f} GiB"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={each}" for key, each in value.items()) or "-"
    return str(value)


_RULES = {
    "clean_code": "Committed code",
    "frozen_holdout": "Rows fixed before the training",
    "unseen_rows": "Rows unseen by both models",
    "enough_rows": "Enough rows",
    "both_classes": "More than one class",
    "enough_groups": "Enough groups of rows",
    "challenger_answers": "Challenger answers",
    "champion_answers": "Champion answers",
    "dummy_answers": "Dummy answers",
    "linear_answers": "Linear baseline answers",
    "measurement": "Metric computable",
    "threshold": "Absolute threshold",
    "beats_dummy": "Better than a dummy",
    "linear_baseline": "Linear baseline",
    "versus_champion": "Against the champion",
    "calibration": "Probabilities come true",
    "calibrated_again": "Better calibrated than before",
    "slices": "Slices measured",
    "slice_floor": "Floor of every slice",
    "slice_regression": "No slice gets worse",
    "leaks": "No feature gives the target away",
    "numerical_health": "Only finite numbers learnt",
    "varied_answers": "Answers that vary",
    "fairness": "Groups compared",
    "robustness_noise": "Stays with noise",
    "robustness_missing": "Stays with missing values",
    "robustness_unseen": "Stays with unseen categories",
    "robustness_extreme": "Stays with extreme numbers",
    "robustness_shuffled": "Leans on no single column",
    "serves_as_recorded": "Serves as recorded",
    "package_as_recorded": "Files and metrics as recorded",
    "data_unchanged": "Data unchanged since the training",
    "human_text": "Purpose, limits and oversight are said",
    "size": "Size against the last versions",
    "latency": "Latency against the last versions",
    "memory": "Memory against the last versions",
}


_GROUPED = {
    "demographic_parity": "Groups of {} get alike answers",
    "equalized_odds": "Groups of {} get alike hits and false alarms",
    "error": "Groups of {} get alike errors",
}
_GROUP, _BEHAVIOUR = "fairness_", "behaviour_"


def rule(name: str) -> str:
    """Name a rule; those on a column's groups and on behaviour name the column or the test."""
    if name not in _RULES and name.startswith(_GROUP):
        for measure, said in _GROUPED.items():
            if name.endswith(f"_{measure}"):
                return said.format(name.removeprefix(_GROUP).removesuffix(f"_{measure}"))
    if name.startswith(_BEHAVIOUR):
        return f"Behaves: {name.removeprefix(_BEHAVIOUR).replace('_', ' ')}"
    return _RULES.get(name, name.replace("_", " "))


def cell(value: float | None) -> str:
    """A number in a table; counts without decimals, nothing as a dash."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) >= 10 else number(value)


def size(value: float) -> str:
    """Bytes, in the unit that leaves at most three digits before the point."""
    if not math.isfinite(value):
        return number(value)
    amount = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:,.3g} TB"


def day(value: datetime | None) -> str:
    """A moment, in UTC to the minute."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if value else "-"


def versions(values: Mapping[str, int]) -> str:
    """Versions as ``flights 3, weather 2``."""
    return ", ".join(f"{name} {version}" for name, version in sorted(values.items())) or "-"


_MARKS = re.compile(r"([\\`*\[\]|~])")


def markdown(text: object) -> str:
    """Text that stays text inside a Markdown table: no HTML, no link, no picture, no emphasis."""
    return " ".join(_MARKS.sub(r"\\\1", html.escape(str(text), quote=False)).split())

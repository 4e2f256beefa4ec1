"""What a model file may hold: fixed lists in code, by family, and classes of the user's own."""

import re
import sys
from collections.abc import Iterable
from typing import Any, TypeVar

from trimtab import user_code
from trimtab.errors import TrimtabError

# A user's own estimators and training functions: a module or package of this name on the path,
# such as include/trimtab_estimators.py, registers them when it is imported.
USER_MODULE = "trimtab_estimators"
# What skops does not trust by itself and every family needs. No file ever adds to these lists.
_EVERY = (
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "trimtab.features.categories.Categories",
    "trimtab.features.pipeline.DateParts",
    "trimtab.features.text.TextParts",
    "trimtab.training.calibrate.Calibrated",
    "trimtab.training.calibrate.Scores",
)
# What one shipped family needs beside. Boosters keep their library's own text (LightGBM) or binary
# form (XGBoost) inside the file.
_FAMILIES: dict[str, tuple[str, ...]] = {
    "dummy": (),
    "linear": (),
    "random_forest": ("sklearn.tree._tree.Tree",),
    "boosted_trees": ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",),
    "lightgbm": (
        "collections.OrderedDict",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRegressor",
    ),
    "xgboost": (
        "trimtab.training.labels.NumberedClasses",
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBRegressor",
    ),
}
# scikit-learn's types that models of the user's own may be built of, beside those of all families.
_OTHERS = (
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
)
ALLOWED_TYPES = tuple(sorted({*_EVERY, *_OTHERS, *(n for f in _FAMILIES.values() for n in f)}))
_OWN: set[str] = set()
# What files a version is made of: models, descriptions, rows, pictures. Never code, never a pickle.
_FILE = re.compile(r"([A-Za-z0-9_-]+/)?[A-Za-z0-9_-]+\.(skops|json|parquet|png|svg)")
K = TypeVar("K", bound=type[Any])


def allow(kind: K) -> K:
    """Let model files hold a class of the user's own (also as a decorator of it).

    Raises:
        TrimtabError: the class cannot be found again by its module and name.
    """
    name = f"{kind.__module__}.{kind.__qualname__}"
    module = sys.modules.get(kind.__module__)
    if "<locals>" in name or module is None or kind.__module__ in ("__main__", "builtins"):
        raise TrimtabError(
            f"{name} cannot be allowed: a model file names a class by its module; "
            f"define it at the top of {USER_MODULE}.py or of a module on the path"
        )
    _OWN.add(name)
    return kind


def unknown(types: Iterable[str], family: str | None = None) -> list[str]:
    """Return the types that a model of ``family`` may not hold.

    A family that is not ours is the user's own: it may hold what all of ours may, and what the
    user's module allows, which is imported only when a type asks for it.
    """
    left = set(types) - set(allowed(family))
    if left and family not in _FAMILIES:
        import_user_module()
        left -= _OWN
    return sorted(left)


def allowed(family: str | None = None) -> tuple[str, ...]:
    """Return every type a model of ``family`` may hold by now; ask `unknown` first."""
    if family in _FAMILIES:
        return (*_EVERY, *_FAMILIES[family])
    return (*ALLOWED_TYPES, *sorted(_OWN))


def foreign(files: Iterable[str]) -> list[str]:
    """Return the names of files that no version is made of: code, pickles, others' packages."""
    return sorted(name for name in files if not _FILE.fullmatch(name))


def import_user_module() -> None:
    """Import the user's module when there is one.

    Raises:
        TrimtabError: it cannot be imported.
    """
    user_code.load(USER_MODULE, "estimators")

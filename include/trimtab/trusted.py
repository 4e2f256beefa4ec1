"""Types a model file may hold: a fixed list in code, and classes that the user's own code adds."""

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from typing import Any, TypeVar

from trimtab.errors import TrimtabError

# A user's own estimators and training functions: a module or package of this name on the path,
# such as include/trimtab_estimators.py, registers them when it is imported.
USER_MODULE = "trimtab_estimators"
# What skops does not trust by itself and our families need. No file ever adds to this.
# Boosters keep their library's own text (LightGBM) or binary form (XGBoost) inside the file.
ALLOWED_TYPES = (
    "collections.OrderedDict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "numpy.dtype",
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn._loss.loss.HalfSquaredError",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "trimtab.features.categories.Categories",
    "trimtab.features.pipeline.DateParts",
    "trimtab.features.text.TextParts",
    "trimtab.training.calibrate.Calibrated",
    "trimtab.training.calibrate.Scores",
    "trimtab.training.labels.NumberedClasses",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    "xgboost.sklearn.XGBRegressor",
)
_OWN: set[str] = set()
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


def unknown(types: Iterable[str]) -> list[str]:
    """Return the types that neither our list nor the user's module allows.

    The user's module is imported only when a type asks for it.
    """
    left = set(types) - set(ALLOWED_TYPES) - _OWN
    if left:
        import_user_module()
    return sorted(left - _OWN)


def allowed() -> tuple[str, ...]:
    """Return every type that is allowed by now; ask `unknown` first."""
    return (*ALLOWED_TYPES, *sorted(_OWN))


def import_user_module() -> None:
    """Import the user's module when there is one.

    Raises:
        TrimtabError: it cannot be imported.
    """
    if importlib.util.find_spec(USER_MODULE) is None:
        return
    try:
        importlib.import_module(USER_MODULE)
    except Exception as error:  # a user's module may raise anything
        raise TrimtabError(
            f"the estimators in {USER_MODULE} cannot be imported: {type(error).__name__}: {error}"
        ) from error

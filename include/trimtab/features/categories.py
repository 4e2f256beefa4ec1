"""Categories as numbers: few of them one by one, many of them by what the target did with them.

skrub was measured against scikit-learn's own encoders on tickets (300 customers, free text) and
flights (4,000 tail numbers): its ``TableVectorizer`` was no better (0.891 of the tickets right,
0.898 here), ten times as large (12 MB, 0.26 s to load), and holds 24 types that skops does not
trust, functions among them, so no fixed list could let it in.
"""

from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder

from trimtab.config.model import Task

Style = Literal["linear", "tree"]
MOST = 250  # codes or weights of one column; the rarest categories share one
ENOUGH = 20  # rows a category needs for a linear weight of its own
_SOME = 30  # up to so many are never too many
_MOST_CLASSES = 20  # of a target that categories are encoded by: one column for each
_FOLDS = 5
_TARGETS: dict[Task, str] = {
    "binary": "binary",
    "multiclass": "multiclass",
    "regression": "continuous",
}


class Categories(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Encode category columns; the rows of the fit decide which of them have too many values.

    A column has too many when it has more than 250, or more than 30 with fewer than 20 rows each
    on average. It becomes the smoothed mean of the target, by cross-fitting, so that no row sees
    its own label (Micci-Barreca 2001; scikit-learn's ``TargetEncoder``), one column for each
    class. The others become ordinal codes (tree; unknown is -1, missing stays missing) or one-hot
    columns (linear; rare and unknown ones together).
    """

    def __init__(self, style: Style = "tree", task: Task = "binary", seed: int = 0) -> None:
        self.style = style
        self.task = task
        self.seed = seed

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: N803 scikit-learn's name
        """Learn the categories and what the target did with them."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: pd.DataFrame, y: Any = None) -> Any:  # noqa: N803
        """Learn and encode; of the rows that are learnt from, each without its own label."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        by_target = y is not None and self._has_classes(y)
        self.many_ = [name for name in X.columns if by_target and _too_many(X[name])]
        self.few_ = [name for name in X.columns if name not in self.many_]
        blocks = []
        if self.few_:
            self.few_encoder_ = _few(self.style, bounded=by_target)
            blocks.append(self.few_encoder_.fit_transform(X[self.few_]))
        if self.many_:
            target = TargetEncoder(target_type=_TARGETS[self.task])
            target.set_params(cv=KFold(min(_FOLDS, len(X)), shuffle=True, random_state=self.seed))
            last = [StandardScaler()] if self.style == "linear" else []
            self.many_encoder_ = make_pipeline(target, *last)
            blocks.append(self.many_encoder_.fit_transform(X[self.many_], y))
            target.set_params(cv=_FOLDS)  # the splitter has done its work; the file needs none
        return _beside(blocks)

    def _has_classes(self, y: Any) -> bool:
        """Whether the target has classes enough, and not too many, to encode by."""
        if self.task == "regression":
            return True
        classes = len(np.unique(y))
        return classes == 2 if self.task == "binary" else 2 < classes <= _MOST_CLASSES

    def transform(self, X: pd.DataFrame) -> Any:  # noqa: N803
        """Encode rows; one that was never seen is as good as an average one."""
        blocks = []
        if self.few_:
            blocks.append(self.few_encoder_.transform(X[self.few_]))
        if self.many_:
            blocks.append(self.many_encoder_.transform(X[self.many_]))
        return _beside(blocks)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name the columns, such as ``zone``, ``zone_north`` or ``customer_billing``."""
        encoders = ([self.few_encoder_] if self.few_ else []) + (
            [self.many_encoder_] if self.many_ else []
        )
        return np.concatenate([encoder.get_feature_names_out() for encoder in encoders])

    def origins(self) -> list[str]:
        """Return the column that each encoded column comes from."""
        widths = [1] * len(self.few_)
        if self.few_ and self.style == "linear":
            widths = _widths(self.few_encoder_)
        found = [n for n, width in zip(self.few_, widths, strict=True) for _ in range(width)]
        if self.many_:
            width = len(self.many_encoder_.get_feature_names_out()) // len(self.many_)
            found += [name for name in self.many_ for _ in range(width)]
        return found


def _too_many(values: pd.Series) -> bool:
    distinct = values.nunique()
    return bool(distinct > MOST or (distinct > _SOME and values.count() < distinct * ENOUGH))


def _few(style: Style, *, bounded: bool) -> Any:
    if style == "linear":
        return OneHotEncoder(
            handle_unknown="infrequent_if_exist", min_frequency=ENOUGH, max_categories=MOST
        )
    # to look for rare categories takes as long again: not where none of the columns has too many
    most = None if bounded else MOST
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, max_categories=most)


def _widths(encoder: OneHotEncoder) -> list[int]:
    pairs = zip(encoder.categories_, encoder.infrequent_categories_, strict=True)
    return [len(all_) if rare is None else len(all_) - len(rare) + 1 for all_, rare in pairs]


def _beside(blocks: list[Any]) -> Any:
    if any(sparse.issparse(block) for block in blocks):
        return sparse.hstack(blocks, format="csr")
    return np.hstack(blocks)

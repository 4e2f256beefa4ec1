"""Free text as numbers: which words and pairs of words it has, or 30 themes of them for trees."""

from typing import Any, Self

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.pipeline import make_pipeline

# Hashed words instead of a vocabulary: bounded, nothing of the texts is stored with the model,
# and a column without a single word is no special case. Two words in one place cost little at
# this width; wider ones were no better on tickets.
_WIDTH = 2**12
THEMES = 30


class TextParts(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn text columns into TF-IDF weights of hashed words, or into their main ``themes``.

    The themes are those of latent semantic analysis (Deerwester et al. 1990: a truncated singular
    value decomposition). A missing text is an empty one: zeros.
    """

    def __init__(self, themes: int | None = None, seed: int = 0) -> None:
        self.themes = themes
        self.seed = seed

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: N803 scikit-learn's name
        """Learn how common each word is, and the themes."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        self.parts_ = [self._part(_texts(X[name])) for name in X.columns]
        return self

    def transform(self, X: pd.DataFrame) -> Any:  # noqa: N803
        """Return the numbers of every column, side by side; sparse without themes."""
        blocks = [
            part.transform(_texts(X[name]))
            for name, part in zip(self.feature_names_in_, self.parts_, strict=True)
        ]
        return sparse.hstack(blocks, format="csr") if self.themes is None else np.hstack(blocks)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name the numbers, such as ``subject_word_17`` or ``subject_theme_3``."""
        kind = "word" if self.themes is None else "theme"
        names = [
            f"{name}_{kind}_{i}"
            for name, width in zip(self.feature_names_in_, self._widths(), strict=True)
            for i in range(width)
        ]
        return np.asarray(names, dtype=object)

    def origins(self) -> list[str]:
        """Return the column that each number comes from."""
        pairs = zip(self.feature_names_in_, self._widths(), strict=True)
        return [str(name) for name, width in pairs for _ in range(width)]

    def _part(self, texts: pd.Series) -> Any:
        words = HashingVectorizer(
            n_features=_WIDTH, ngram_range=(1, 2), alternate_sign=False, norm=None
        )
        weights = TfidfTransformer(sublinear_tf=True)
        if self.themes is None:
            return make_pipeline(words, weights).fit(texts)
        themes = TruncatedSVD(max(1, min(self.themes, len(texts))), random_state=self.seed)
        with np.errstate(invalid="ignore"):  # no word at all has no variance to explain
            return make_pipeline(words, weights, themes).fit(texts)

    def _widths(self) -> list[int]:
        if self.themes is None:
            return [_WIDTH] * len(self.parts_)
        return [part[-1].components_.shape[0] for part in self.parts_]


def _texts(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), "")

"""The shipped families. Spaces are small on purpose: budgets are trials and minutes."""

from typing import Any

from trimtab.config.model import Task
from trimtab.training.registry import estimator


@estimator("dummy", calibrates=False, max_rows=100_000)  # of more, preparing them is all it costs
def dummy(task: Task, seed: int) -> Any:
    """Build the baseline that ignores the features: class frequencies, or the mean."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    return DummyRegressor() if task == "regression" else DummyClassifier(random_state=seed)


def _linear_space(trial: Any) -> dict[str, Any]:
    return {"regularisation": trial.suggest_float("regularisation", 1e-3, 1e3, log=True)}


@estimator(
    "linear",
    style="linear",
    defaults={"regularisation": 1.0},
    space=_linear_space,
    max_rows=100_000,  # its weights do not get better with more; its fit gets slower
)
def linear(task: Task, seed: int, *, regularisation: float = 1.0) -> Any:
    """Build ridge regression, or logistic regression with the same penalty."""
    from sklearn.linear_model import LogisticRegression, Ridge

    if task == "regression":
        return Ridge(alpha=regularisation, random_state=seed)
    return LogisticRegression(C=1 / regularisation, max_iter=200, tol=1e-3, random_state=seed)


def _forest_space(trial: Any) -> dict[str, Any]:
    return {
        "n_estimators": trial.suggest_int("n_estimators", 50, 200),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 2, 100, log=True),
        "max_features": trial.suggest_float("max_features", 0.2, 1.0),
    }


@estimator(
    "random_forest",
    defaults={"n_estimators": 100, "min_samples_leaf": 10, "max_features": 0.4},
    space=_forest_space,
    max_rows=200_000,
    grows="n_estimators",
)
def random_forest(task: Task, seed: int, **params: Any) -> Any:
    """Build a forest of bounded trees."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    family = RandomForestRegressor if task == "regression" else RandomForestClassifier
    return family(max_depth=20, n_jobs=-1, random_state=seed, **params)


def _boosting_space(trial: Any) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.03, 0.3, log=True),
        "max_iter": trial.suggest_int("max_iter", 60, 200),
        "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 8, 64, log=True),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 10, 200, log=True),
        "l2_regularization": trial.suggest_float("l2_regularization", 1e-3, 10.0, log=True),
    }


@estimator(
    "boosted_trees",
    defaults={
        "learning_rate": 0.1,
        "max_iter": 100,
        "max_leaf_nodes": 31,
        "min_samples_leaf": 20,
        "l2_regularization": 1e-3,
    },
    space=_boosting_space,
    # It does not say what grows: its early trees tell too little of low learning rates, which win
    # late: stopped by a quarter of their trees, searches were 25 % shorter and 0.006 of AUC worse.
)
def boosted_trees(task: Task, seed: int, **params: Any) -> Any:
    """Build histogram boosting; early stopping is off so that a refit repeats the trial."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    family = (
        HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    )
    return family(early_stopping=False, random_state=seed, **params)


def _lightgbm_space(trial: Any) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.03, 0.3, log=True),
        "n_estimators": trial.suggest_int("n_estimators", 60, 200),
        "num_leaves": trial.suggest_int("num_leaves", 8, 64, log=True),
        "min_child_samples": trial.suggest_int("min_child_samples", 10, 200, log=True),
        "reg_lambda": trial.suggest_float("reg_lambda", 1e-3, 10.0, log=True),
    }


@estimator(
    "lightgbm",
    defaults={
        "learning_rate": 0.1,
        "n_estimators": 100,
        "num_leaves": 31,
        "min_child_samples": 20,
        "reg_lambda": 1e-3,
    },
    space=_lightgbm_space,
    requires="lightgbm",
)
def lightgbm(task: Task, seed: int, **params: Any) -> Any:
    """Build LightGBM; row-wise histograms give the same trees on any number of threads."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    family = LGBMRegressor if task == "regression" else LGBMClassifier
    fixed: dict[str, Any] = {"deterministic": True, "force_row_wise": True, "verbosity": -1}
    return family(random_state=seed, n_jobs=0, **fixed, **params)  # 0: as many as OpenMP says


def _xgboost_space(trial: Any) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.03, 0.3, log=True),
        "n_estimators": trial.suggest_int("n_estimators", 60, 200),
        "max_depth": trial.suggest_int("max_depth", 3, 10),
        "min_child_weight": trial.suggest_float("min_child_weight", 1.0, 100.0, log=True),
        "reg_lambda": trial.suggest_float("reg_lambda", 1e-3, 10.0, log=True),
    }


@estimator(
    "xgboost",
    defaults={
        "learning_rate": 0.1,
        "n_estimators": 100,
        "max_depth": 6,
        "min_child_weight": 1.0,
        "reg_lambda": 1.0,
    },
    space=_xgboost_space,
    requires="xgboost",
)
def xgboost(task: Task, seed: int, **params: Any) -> Any:
    """Build XGBoost on histograms; it takes classes as numbers only."""
    from xgboost import XGBClassifier, XGBRegressor

    if task == "regression":
        return XGBRegressor(tree_method="hist", random_state=seed, **params)
    from trimtab.training.labels import NumberedClasses

    return NumberedClasses(XGBClassifier(tree_method="hist", random_state=seed, **params))

"""What a model file says of its split and its training, where one key speaks of another."""

from collections.abc import Collection, Iterator
from datetime import timedelta

from trimtab.config.catalog import Catalog
from trimtab.config.columns import split_by, task_of
from trimtab.config.findings import Finding
from trimtab.config.model import ModelSpec
from trimtab.config.registered import Registered

EXTRAS = ("lightgbm", "xgboost")  # families that come with an extra of the same name


def names(model: ModelSpec, registered: Registered) -> Iterator[Finding]:
    """Find families and training functions that nobody registered."""
    train, estimators = model.train, registered.estimators
    if train.function:
        yield from _function(model, registered.trainings)
    elif not train.candidates:
        yield ("train", "candidates"), "no estimator is left to train", "name one, such as linear"
    elif estimators is not None:
        for i, name in enumerate(train.candidates):
            if name not in estimators:
                yield (("train", "candidates", i), *_missing(name, estimators))


def _missing(name: str, estimators: Collection[str]) -> tuple[str, str]:
    if name in EXTRAS:
        return f"{name} is not installed", f"install the extra: pip install 'trimtab[{name}]'"
    return f"there is no estimator {name!r}", f"choose from {sorted(estimators)}, or register it"


def _function(model: ModelSpec, functions: Collection[str] | None) -> Iterator[Finding]:
    train = model.train
    if "candidates" in train.model_fields_set and train.candidates:
        fix = "take one of them out (candidates: [] where the defaults name some)"
        yield ("train", "function"), "a function takes the place of candidates", fix
    if functions is not None and train.function not in functions:
        yield (
            ("train", "function"),
            f"there is no training function {train.function!r}",
            f"registered are {sorted(functions)}; decorate yours with "
            f"@training_function({train.function!r}) in trimtab_estimators",
        )


def fitting(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    """Find keys of train that do not fit the task."""
    if task_of(model, catalog) != "regression":
        return
    if model.train.calibrate != "none":
        fix = "take calibrate out"
        yield ("train", "calibrate"), "a regression has no probabilities to calibrate", fix
    if model.train.balance:
        yield ("train", "balance"), "a regression has no classes to balance", "take balance out"


def splits(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    """Find keys of split that do not fit the dataset or each other."""
    split, by = model.split, split_by(model, catalog)
    timed = catalog.datasets[model.data.from_].time is not None
    if by == "time" and not timed:
        problem = f"{model.data.from_} has no time column to split by"
        yield ("split", "by"), problem, "use group or random, or set 'time' in the dataset file"
    if by == "group" and not split.group:
        fix = "name the column whose values stay together: group: ..."
        yield ("split", "group"), "a split by group needs its column", fix
    if by != "group" and split.group:
        fix = "say by: group, or take group out"
        yield ("split", "group"), f"a split by {by} keeps no group together", fix
    if isinstance(split.holdout, timedelta) and by != "time":
        problem = f"a duration needs a split by time, this one is by {by}"
        if not timed:
            problem = f"a duration needs event time, and {model.data.from_} has no time column"
        fix = "use a share such as 0.2, or by: time (and 'time' in the dataset file)"
        yield ("split", "holdout"), problem, fix

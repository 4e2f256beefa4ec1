"""Names of the assets by which one DAG wakes the next. An event is a doorbell, not a parcel.

Every asset but the landing folder may be declared wherever it is used. The landing folder carries
a watcher, and Airflow drops and re-creates watchers when the same asset is declared elsewhere
without them: use ``Asset.ref(name=landing_name(...))`` there.
"""

from airflow.sdk import Asset, AssetAlias, AssetWatcher

from trimtab.config import DatasetSpec
from trimtab_airflow.triggers.new_data import NewDataTrigger
from trimtab_airflow.triggers.watch import fingerprint


def landing(spec: DatasetSpec) -> Asset:
    """Rings when the source of a dataset has something new."""
    trigger = NewDataTrigger(dataset=spec.dataset, fingerprint=fingerprint(spec.source))
    name = landing_name(spec.dataset)
    return _asset(name, watchers=[AssetWatcher(name=name, trigger=trigger)])


def landing_name(dataset: str) -> str:
    """Name of the landing asset; ``Asset.ref(name=...)`` is the way to refer to it elsewhere."""
    return f"landing.{dataset}"


def dataset(name: str) -> Asset:
    """Rings when a new version of a dataset is published."""
    return _asset(f"dataset.{name}")


def model(name: str) -> Asset:
    """Rings when a model has a new champion."""
    return _asset(f"model.{name}")


def predictions(name: str) -> Asset:
    """Rings when a model has scored new rows."""
    return _asset(f"predictions.{name}")


def retrain(name: str) -> Asset:
    """Rings when somebody or something has asked for a model to be trained again."""
    return _asset(f"retrain.{name}")


def asked(name: str) -> AssetAlias:
    """Stand for `retrain` in a task that rings only when it has something to ask for."""
    return AssetAlias(name=f"asked.{name}", group="trimtab")


def _asset(name: str, watchers: list[AssetWatcher] | None = None) -> Asset:
    uri = f"trimtab://{name.replace('.', '/')}"
    return Asset(name=name, uri=uri, group="trimtab", watchers=watchers or [])

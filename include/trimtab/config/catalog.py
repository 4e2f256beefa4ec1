"""What a model file may name: the datasets and feature views of its project."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trimtab.config.dataset import DatasetSpec
from trimtab.config.view import FeatureView


@dataclass(frozen=True)
class Catalog:
    """Datasets and feature views by name."""

    datasets: Mapping[str, DatasetSpec] = field(default_factory=dict)
    views: Mapping[str, FeatureView] = field(default_factory=dict)

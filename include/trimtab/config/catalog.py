"""What a model file may name: datasets and feature views of its project, groups of people."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trimtab.config.dataset import DatasetSpec
from trimtab.config.view import FeatureView


@dataclass(frozen=True)
class Catalog:
    """Datasets and feature views by name, and the groups of people of the environment."""

    datasets: Mapping[str, DatasetSpec] = field(default_factory=dict)
    views: Mapping[str, FeatureView] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

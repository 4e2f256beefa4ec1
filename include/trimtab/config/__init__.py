"""Configuration: YAML files as closed pydantic models. Imports pydantic and yaml only."""

from trimtab.config.dataset import DatasetSpec
from trimtab.config.environment import EnvironmentSpec
from trimtab.config.loader import Project, load_project
from trimtab.config.model import ModelSpec

__all__ = ["DatasetSpec", "EnvironmentSpec", "ModelSpec", "Project", "load_project"]

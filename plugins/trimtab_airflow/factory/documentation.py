"""The page of a DAG: what it is for, who owns it, and the file it was made from."""

from pathlib import Path

from trimtab.config import DatasetSpec, ModelSpec
from trimtab.config.view import FeatureView


def dataset_page(spec: DatasetSpec, file: Path) -> str:
    """Describe a dataset's DAG in Markdown."""
    about = f"{spec.description}\n\nOwner: **{spec.owner}**. Comes from `{spec.source.place}`."
    return f"### {spec.dataset}\n{about}\n\n{_source(file)}"


def view_page(spec: FeatureView, file: Path) -> str:
    """Describe a feature view's DAG in Markdown."""
    entity = ", ".join(spec.entity)
    about = f"{spec.description}\n\nOwner: **{spec.owner}**. What is known of each `{entity}`."
    return f"### {spec.view}\n{about}\n\n{_source(file)}"


def model_page(spec: ModelSpec, file: Path, does: str) -> str:
    """Describe one of a model's DAGs in Markdown."""
    limits = f"\n\nLimits: {spec.limits}" if spec.limits else ""
    about = f"{spec.purpose}{limits}\n\nOwner: **{spec.owner}**. This DAG {does}."
    return f"### {spec.model}\n{about}\n\n{_source(file)}"


def _source(file: Path) -> str:
    where = "/".join(file.parts[-3:])
    return f"`{where}`\n```yaml\n{file.read_text(encoding='utf-8').strip()}\n```"

"""Read a config folder. A broken file becomes problems and takes down only itself."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from trimtab.config import yaml_text
from trimtab.config.catalog import Catalog
from trimtab.config.check import check_model
from trimtab.config.check_view import check_view
from trimtab.config.dataset import DatasetSpec
from trimtab.config.environment import EnvironmentSpec
from trimtab.config.findings import Finding
from trimtab.config.model import ModelSpec
from trimtab.config.registered import NOT_ASKED, Functions, Registered
from trimtab.config.view import FeatureView
from trimtab.errors import ConfigError, Problem

S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True)
class Project:
    """Everything in a config folder that is usable, and every problem of what is not."""

    folder: Path
    environment: EnvironmentSpec
    datasets: dict[str, DatasetSpec] = field(default_factory=dict)
    models: dict[str, ModelSpec] = field(default_factory=dict)
    views: dict[str, FeatureView] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def catalog(self) -> Catalog:
        """What a model file may name."""
        return Catalog(self.datasets, self.views, self.environment.groups)

    def dataset(self, name: str) -> DatasetSpec:
        """Return one dataset, or raise the problems that keep it from being there."""
        return self._named("dataset", name, self.datasets, "datasets")

    def model(self, name: str) -> ModelSpec:
        """Return one model, or raise the problems that keep it from being there."""
        return self._named("model", name, self.models, "models")

    def view(self, name: str) -> FeatureView:
        """Return one feature view, or raise the problems that keep it from being there."""
        return self._named("view", name, self.views, "features")

    def _named(self, kind: str, name: str, known: Mapping[str, S], folder: str) -> S:
        if name in known:
            return known[name]
        file = self.folder / folder / f"{name}.yaml"
        mine = [problem for problem in self.problems if Path(problem.file) == file]
        fix = f"known are {sorted(known)}; add {file} or correct the name"
        raise ConfigError(
            mine or [Problem(str(file), 1, kind, f"there is no {kind} {name!r}", fix)]
        )


def load_project(
    folder: Path,
    environment: str = "local",
    *,
    registered: Registered = NOT_ASKED,
) -> Project:
    """Read every file of ``folder``; check names that code registers against ``registered``."""
    problems: list[Problem] = []
    functions = registered.features
    datasets = {
        spec.dataset: spec
        for file in _files(folder / "datasets")
        if (spec := _kept(problems, lambda file=file: load_dataset(file))) is not None
    }
    views = {
        spec.view: spec
        for file in _files(folder / "features")
        if (spec := _kept(problems, lambda file=file: load_view(file, datasets, functions)))
        is not None
    }
    place = _kept(problems, lambda: load_environment(folder, environment)) or EnvironmentSpec()
    catalog = Catalog(datasets, views, place.groups)
    defaults = _kept(problems, lambda: load_defaults(folder)) or {}
    models: dict[str, ModelSpec] = {}
    for file in _files(folder / "models"):
        spec = _kept(
            problems,
            lambda file=file: load_model(file, defaults, catalog=catalog, registered=registered),
        )
        if spec is not None:
            models[spec.model] = spec
    return Project(folder, place, datasets, models, views, tuple(problems))


def load_dataset(file: Path) -> DatasetSpec:
    """Read one dataset file; the file is named like the dataset."""
    document = yaml_text.read(file)
    return _named_like_file(_parse(DatasetSpec, document, document.values), "dataset", document)


def load_view(
    file: Path,
    datasets: Mapping[str, DatasetSpec] | None = None,
    functions: Functions | None = None,
) -> FeatureView:
    """Read one feature view; with ``datasets``, check it against them too."""
    document = yaml_text.read(file)
    spec = _named_like_file(_parse(FeatureView, document, document.values), "view", document)
    if datasets is not None and (found := check_view(spec, datasets, functions)):
        raise ConfigError(located(document, found))
    return spec


def load_model(
    file: Path,
    defaults: Mapping[str, Any] | None = None,
    *,
    catalog: Catalog | None = None,
    registered: Registered = NOT_ASKED,
) -> ModelSpec:
    """Read one model file over the defaults; with a ``catalog``, check it against that too."""
    document = yaml_text.read(file)
    if defaults is None:
        defaults = load_defaults(file.parent.parent)
    spec = _parse(ModelSpec, document, _over(defaults, document.values))
    _named_like_file(spec, "model", document)
    if catalog is not None and (found := check_model(spec, catalog, registered)):
        raise ConfigError(located(document, found))
    return spec


def load_defaults(folder: Path) -> dict[str, Any]:
    """Read ``defaults.yaml``: values every model inherits; none when the file is missing."""
    file = folder / "defaults.yaml"
    return yaml_text.read(file).values if file.exists() else {}


def load_environment(folder: Path, name: str) -> EnvironmentSpec:
    """Read one environment file; the built-in local one when it is missing."""
    file = folder / "environments" / f"{name}.yaml"
    if not file.exists() and name == "local":
        return EnvironmentSpec()
    document = yaml_text.read(file)
    return _parse(EnvironmentSpec, document, document.values)


def located(document: yaml_text.Document, found: Iterable[Finding]) -> list[Problem]:
    """Say where in its file each finding stands."""
    return [
        Problem(str(document.file), document.line(path), _dotted(path), message, fix)
        for path, message, fix in found
    ]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yaml"))


def _kept(problems: list[Problem], load: Any) -> Any:
    try:
        return load()
    except ConfigError as error:
        problems.extend(error.problems)
        return None


def _over(defaults: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(dict(defaults))
    for key, value in values.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _over(below, value) if both else value  # type: ignore[arg-type]
    return merged


def _parse(kind: type[S], document: yaml_text.Document, values: Mapping[str, Any]) -> S:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise ConfigError(list(_problems(error, document, kind))) from error


def _problems(
    error: ValidationError, document: yaml_text.Document, kind: type[BaseModel]
) -> Iterator[Problem]:
    for item in error.errors(include_url=False):
        # pydantic adds the tag of a union to the path; the file does not have it
        path = tuple(
            part for part in item["loc"] if not str(part).startswith(("function-", "tagged"))
        )
        message, fix = item["msg"].removeprefix("Value error, "), ""
        if item["type"] == "extra_forbidden":
            message, fix = "unknown key", _nearest(path, kind)
        elif item["type"] == "missing":
            message, fix = "is required", f"add it, for example '{path[-1]}: …'"
        elif ";" in message:
            message, fix = (part.strip() for part in message.split(";", 1))
        elif "input" in item:
            fix = f"it is {item['input']!r} now"
        yield Problem(str(document.file), document.line(path), _dotted(path), message, fix)


def _nearest(path: tuple[str | int, ...], kind: type[BaseModel]) -> str:
    from difflib import get_close_matches

    known: set[str] = set()
    for model in (kind, *_below(kind)):
        known.update(f.alias or name for name, f in model.model_fields.items())
    close = get_close_matches(str(path[-1]), sorted(known), n=2)
    return f"did you mean {' or '.join(close)}?" if close else "take it out"


def _below(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for info in kind.model_fields.values():
        for part in (info.annotation, *getattr(info.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield part
                yield from _below(part)


def _named_like_file(spec: S, kind: str, document: yaml_text.Document) -> S:
    name = getattr(spec, kind)
    if name != document.file.stem:
        raise ConfigError(
            [
                Problem(
                    str(document.file),
                    document.line((kind,)),
                    kind,
                    f"the file is named {document.file.stem}, the {kind} {name}",
                    f"rename the file to {name}.yaml or the {kind} to {document.file.stem}",
                )
            ]
        )
    return spec


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in path) or "(file)"

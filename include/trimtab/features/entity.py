"""The entity of a feature view: keys that somebody asks for, checked and typed by the contract."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from trimtab.config.dataset import FALSE, TRUE, ColumnType, DatasetSpec
from trimtab.config.view import FeatureView
from trimtab.errors import DataError


@dataclass(frozen=True)
class Entity:
    """The columns that name an entity, with their types."""

    view: str
    types: Mapping[str, ColumnType]

    @classmethod
    def of(cls, view: FeatureView, dataset: DatasetSpec) -> "Entity":
        """Take the types from the dataset's contract."""
        return cls(view.view, {name: dataset.columns[name].type for name in view.entity})

    def checked(self, keys: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the keys in the order of the entity's columns, times in UTC.

        Raises:
            DataError: a key has other columns, or a value of another type.
        """
        return [{n: self._checked(n, v) for n, v in self._named(key).items()} for key in keys]

    def read(self, keys: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
        """Read keys that came as text.

        Raises:
            DataError: a key has other columns, or a text is no value of its type.
        """
        return [{n: self._read(n, text) for n, text in self._named(key).items()} for key in keys]

    def _named(self, key: Mapping[str, Any]) -> dict[str, Any]:
        if set(key) != set(self.types):
            given = ", ".join(key) or "nothing"
            raise DataError(
                f"{self.view}: an entity is named by {', '.join(self.types)}, not by {given}; "
                "give exactly these columns"
            )
        return {name: key[name] for name in self.types}

    def _checked(self, name: str, value: Any) -> Any:
        wanted = _PYTHON[self.types[name]]
        is_other = isinstance(value, bool) and wanted is not bool
        if is_other or not isinstance(value, wanted):
            raise self._wrong(name, value)
        if isinstance(value, datetime):
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return float(value) if wanted == (int, float) else value

    def _read(self, name: str, text: str) -> Any:
        try:
            return self._checked(name, _READ[self.types[name]](text))
        except ValueError:
            raise self._wrong(name, text) from None

    def _wrong(self, name: str, value: Any) -> DataError:
        return DataError(f"{self.view}: {name} is of type {self.types[name]}; {value!r} is not")


def _bool(text: str) -> bool:
    if text.lower() in (*TRUE, *FALSE):
        return text.lower() in TRUE
    raise ValueError(text)


_PYTHON: dict[ColumnType, Any] = {
    "int": int,
    "float": (int, float),
    "bool": bool,
    "text": str,
    "category": str,
    "time": datetime,
}
_READ: dict[ColumnType, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "bool": _bool,
    "text": str,
    "category": str,
    "time": datetime.fromisoformat,
}

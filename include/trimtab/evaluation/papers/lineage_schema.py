"""The JSON Schema of OpenLineage events, from the classes that its client generates of it.

The client ships the specification as classes only; read back from them, fields, their types and
which of them must be there can be checked without a network.
"""

import enum
import functools
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
import openlineage.client.facet_v2  # noqa: F401 - every facet is a class from here on
from jsonschema import Draft202012Validator
from openlineage.client.event_v2 import RunEvent
from openlineage.client.generated.base import BaseFacet

from trimtab.errors import IntegrityError

Definitions = dict[str, dict[str, Any]]
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_URI = {"pattern": r"^[a-z][a-z0-9+.-]*:\S+$"}
_FORMS: dict[str, dict[str, Any]] = {
    "eventTime": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
    "runId": {"pattern": r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
    "producer": _URI,
    "_producer": _URI,
}


def validate(events: Iterable[Mapping[str, Any]]) -> None:
    """Check events against the schema.

    Raises:
        IntegrityError: names every place that does not fit, at once.
    """
    checker = Draft202012Validator(schema())
    wrong = [
        f"event {number} {error.json_path}: {error.message}"
        for number, event in enumerate(events)
        for error in checker.iter_errors(event)
    ]
    if wrong:
        raise IntegrityError("the lineage is not valid OpenLineage: " + "; ".join(wrong))


@functools.cache
def schema() -> dict[str, Any]:
    """Return the schema of a run event, with every facet of the client's."""
    found: Definitions = {}
    top = _object(RunEvent, found)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **top, "$defs": found}


def _object(kind: type, found: Definitions) -> dict[str, Any]:
    hints, fields = get_type_hints(kind), attrs.fields(kind)
    properties = {f.name: _named(f.name, _of(hints[f.name], found)) for f in fields}
    for name in {"schemaURL", "_schemaURL"} & set(properties):  # which class it is stands in it
        properties[name] = {"const": kind._get_schema()}  # type: ignore[attr-defined]
    return {
        "type": "object",
        "properties": properties,
        "required": [f.name for f in fields if f.default is attrs.NOTHING or f.name in _FORMS],
        "additionalProperties": False,
    }


def _of(hint: Any, found: Definitions) -> dict[str, Any]:
    """The schema of one annotation; classes go into the definitions."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_of(each, found) for each in inside]}
    if origin is list:
        return {"type": "array", "items": _of(inside[0], found)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(inside[1], found)}
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if not isinstance(hint, type):
        return {}
    if issubclass(hint, enum.Enum):
        return {"enum": [each.value for each in hint]}
    if not attrs.has(hint):
        return {}
    kinds: list[type] = [hint]
    if issubclass(hint, BaseFacet):
        kinds = [each for each in hint.__subclasses__() if _generated(each)] or [hint]
    return {"anyOf": [_defined(kind, found) for kind in kinds]}


def _generated(kind: type) -> bool:
    """Whether a facet is one of the specification's, and the class that its name stands for.

    attrs makes each class a second time, for its slots; the first one, which has not one field of
    its own, stays a subclass until the garbage collector comes by. Other libraries add facets.
    """
    home = sys.modules.get(kind.__module__)
    ours = kind.__module__.startswith("openlineage.client.generated.")
    return ours and getattr(home, kind.__name__, None) is kind


def _defined(kind: type, found: Definitions) -> dict[str, Any]:
    if kind.__name__ not in found:
        found[kind.__name__] = {}  # a class may hold itself
        found[kind.__name__] = _object(kind, found)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _named(name: str, found: dict[str, Any]) -> dict[str, Any]:
    return {**found, **_FORMS.get(name, {})}

"""YAML to plain values with the line of every key, by the C parser and the YAML 1.2 booleans."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from trimtab.errors import ConfigError, Problem

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_BYTES = 1_000_000
_MAX_DEPTH = 30
_BOOLEANS = {"true": True, "false": False}  # YAML 1.2: on, off, yes and no are words
Path_ = tuple[str | int, ...]


@dataclass
class Document:
    """The values of one file and where each stands (line numbers start at 1)."""

    file: Path
    text: str
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[Path_, int] = field(default_factory=dict)

    def line(self, path: Path_) -> int:
        """Line of ``path``, or of its nearest parent that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(file: Path) -> Document:
    """Read one YAML file that holds a mapping.

    Raises:
        ConfigError: unreadable, too large, not YAML, not a mapping, a key twice, an alias.
    """
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise _problem(
            file, 1, f"cannot be read: {error.strerror}", "check path and rights"
        ) from error
    if len(raw) > _MAX_BYTES:
        raise _problem(file, 1, f"is {len(raw)} bytes", f"keep it under {_MAX_BYTES}")
    try:
        document = Document(file, raw.decode("utf-8"))
        root = yaml.compose(document.text, Loader=_LOADER)
    except UnicodeDecodeError as error:
        raise _problem(file, 1, "is not UTF-8", "save it as UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = getattr(error, "problem", None) or str(error)
        raise _problem(
            file,
            mark.line + 1 if mark else 1,
            f"is not YAML: {message}",
            "check indentation and quotes",
        ) from error
    if not isinstance(root, yaml.MappingNode):
        raise _problem(file, 1, "is not a mapping of keys to values", "start with 'model: name'")
    document.values = _value(root, (), document, set())
    return document


def _value(node: yaml.Node, path: Path_, document: Document, seen: set[int]) -> Any:
    line = node.start_mark.line + 1
    document.lines.setdefault(path, line)
    if id(node) in seen:  # the parser hands out one node per anchor, so a bomb ends here
        raise _problem(document.file, line, "uses an alias (*name)", "write the value out")
    if len(path) > _MAX_DEPTH:
        raise _problem(document.file, line, "nests too deep", "flatten it")
    if not node.tag.startswith("tag:yaml.org,2002:") or "/" in node.tag:
        raise _problem(document.file, line, f"tag {node.tag} is not allowed", "use plain values")
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document, seen)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, i), document, seen) for i, item in enumerate(node.value)]
    return _scalar(node)


def _mapping(
    node: yaml.MappingNode, path: Path_, document: Document, seen: set[int]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        if key in values:
            raise _problem(document.file, line, f"key {key!r} stands twice", "keep one of them")
        document.lines[(*path, key)] = line
        values[key] = _value(value_node, (*path, key), document, seen)
    return values


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    match node.tag.rsplit(":", 1)[-1]:
        case "null":
            return None
        case "bool":
            return _BOOLEANS.get(text.lower(), text)
        case "int" | "float" as kind:
            return _number(text, kind)
    return text


def _number(text: str, kind: str) -> Any:
    try:
        return int(text, 0) if kind == "int" else float(text.replace("_", ""))
    except ValueError:  # YAML 1.1's 1:30 and .inf: words here
        return text


def _problem(file: Path, line: int, message: str, fix: str) -> ConfigError:
    return ConfigError([Problem(str(file), line, "(file)", message, fix)])

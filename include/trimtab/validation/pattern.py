"""Regular expressions that mean the same to Rust, RE2, Java and Great Expectations (RE2)."""

import re
from collections.abc import Iterator

import polars as pl

from trimtab.validation.plan import NotCompiledError

# RE2 reads the classes as ASCII, Rust as Unicode, Java's $ stops before a last line end, and its
# dot at more line ends than the others'. Spelled out, all of them agree.
_OUTSIDE = {
    r"\d": "[0-9]",
    r"\D": "[^0-9]",
    r"\w": "[0-9A-Za-z_]",
    r"\W": "[^0-9A-Za-z_]",
    r"\s": r"[\t\n\f\r ]",
    r"\S": r"[^\t\n\f\r ]",
    r"\Z": r"\z",
    "$": r"\z",
    ".": r"[^\n]",
}
# Java and Rust nest sets and intersect them, RE2 does neither.
_INSIDE = {r"\d": "0-9", r"\w": "0-9A-Za-z_", r"\s": r"\t\n\f\r ", "[": r"\[", "&": r"\x26"}
_SAME = re.compile(r"\\[AztnrfvQ^$.|?*+()\[\]{}\\/\-]|\\x[0-9a-fA-F]{2}")
_PART = re.compile(r"\\x[0-9a-fA-F]{2}|\\.|\(\?:?|\{,|.", re.S)  # "(?" is not "(?:"


def portable(pattern: str) -> str:
    """Return ``pattern`` in words every engine reads alike.

    Raises:
        NotCompiledError: it uses something that they do not share, such as look-around.
    """
    said = "".join(_parts(pattern))
    try:
        re.compile(said.replace(r"\z", r"\Z"))
        pl.Series([""]).str.contains(said)  # Rust is the strictest of them
    except (re.error, pl.exceptions.PolarsError) as error:
        raise NotCompiledError(str(error)) from error
    return said


def _parts(pattern: str) -> Iterator[str]:
    inside = False
    for part in _PART.findall(pattern):
        words = _INSIDE if inside else _OUTSIDE
        escaped = part.startswith("\\") and part not in words
        if part in ("(?", "{,") or (escaped and not _SAME.fullmatch(part)):
            raise NotCompiledError(f"{pattern!r} uses {part}")
        if part == ("]" if inside else "["):
            inside = not inside
        yield words.get(part, part)

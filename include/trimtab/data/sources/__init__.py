"""Where files come from, one class per kind of source."""

from trimtab.data.sources import files
from trimtab.data.sources.registry import Source, open_source, source

__all__ = ["Source", "files", "open_source", "source"]

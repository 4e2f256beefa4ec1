"""Where files come from, one class per kind of source."""

from trimtab.data.sources import folder, s3, sql
from trimtab.data.sources.registry import Doorbell, Source, open_source, source

__all__ = ["Doorbell", "Source", "folder", "open_source", "s3", "source", "sql"]

"""Where tables, staging and quarantine lie: a folder, or a prefix in an S3 bucket.

A key is a path with slashes below the store's root. An object is written whole or not at all;
nothing in a store is ever changed in place, so every key names the same bytes for ever.
"""

import functools
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from trimtab.adapters import s3
from trimtab.errors import IntegrityError

_PROBE = ".trimtab/conditional-writes"  # stays there, so that later processes ask once


class OverwritesError(IntegrityError):
    """A store that overwrites what must stay. Nothing may be written there."""


class Store(Protocol):
    """The few things the data plane asks of a place."""

    def location(self, key: str) -> str:
        """Return the path or s3:// address of ``key``, as Polars, DuckDB and Delta take it."""
        ...

    def put(self, key: str, file: Path) -> None:
        """Keep a local file under ``key``; a reader sees all of it or nothing.

        The caller gives the file away: it may be removed, and must not be written to any more.
        """
        ...

    def write(self, key: str, data: bytes) -> None:
        """Keep bytes under ``key``; a reader sees all of them or nothing."""
        ...

    def create(self, key: str, data: bytes) -> bool:
        """Keep bytes under ``key`` unless something is there; whether nothing was."""
        ...

    def fetch(self, key: str, folder: Path) -> Path:
        """Return a local file with the content of ``key``, in ``folder`` if it must be copied.

        Raises:
            FileNotFoundError: there is nothing under this key.
        """
        ...

    def exists(self, key: str) -> bool:
        """Whether there is something under ``key``."""
        ...

    def size(self, key: str) -> int:
        """Return the bytes under ``key``."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield every key that begins with ``prefix``, sorted."""
        ...

    def delete(self, key: str) -> None:
        """Remove ``key``; it is no error when it is gone already."""
        ...


def open_store(uri: str | Path) -> Store:
    """Open the store at a folder or an s3:// address."""
    return S3Store(str(uri)) if str(uri).startswith("s3://") else Folder(Path(uri))


class Folder:
    """A store in a local folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def location(self, key: str) -> str:
        """Return the path of ``key``."""
        return str(self.root / key)

    def put(self, key: str, file: Path) -> None:
        """Link (or copy, from another disk) next to the target, make it durable, rename."""
        with self._aside(key) as aside:
            try:
                os.link(file, aside)
            except OSError:
                shutil.copyfile(file, aside)

    def write(self, key: str, data: bytes) -> None:
        """Write next to the target, make it durable, rename."""
        with self._aside(key) as aside:
            aside.write_bytes(data)

    def create(self, key: str, data: bytes) -> bool:
        """Write next to the target, make it durable, link: a link never replaces a file."""
        with self._beside(key) as aside:
            aside.write_bytes(data)
            _durable(aside)
            try:
                os.link(aside, self.root / key)
            except FileExistsError:
                return False
            except OSError:  # a share that knows no links
                return self._exclusive(key, data)
        return True

    def fetch(self, key: str, folder: Path) -> Path:
        """Return the file itself."""
        path = self.root / key
        if not path.is_file():
            raise FileNotFoundError(path)
        return path

    def exists(self, key: str) -> bool:
        """Whether there is a file."""
        return (self.root / key).is_file()

    def size(self, key: str) -> int:
        """Return the file's size."""
        return (self.root / key).stat().st_size

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield keys of files; names that begin with a dot are being written."""
        folder = (self.root / prefix).parent if not prefix.endswith("/") else self.root / prefix
        found = (str(file.relative_to(self.root)) for file in folder.rglob("*") if file.is_file())
        yield from sorted(key for key in found if key.startswith(prefix) and "/." not in key)

    def delete(self, key: str) -> None:
        """Remove the file."""
        (self.root / key).unlink(missing_ok=True)

    def _exclusive(self, key: str, data: bytes) -> bool:
        try:
            with (self.root / key).open("xb") as file:
                file.write(data)
        except FileExistsError:
            return False
        return True

    @contextmanager
    def _aside(self, key: str) -> Iterator[Path]:
        with self._beside(key) as aside:
            yield aside
            _durable(aside)
            aside.replace(self.root / key)

    @contextmanager
    def _beside(self, key: str) -> Iterator[Path]:
        folder = (self.root / key).parent
        folder.mkdir(parents=True, exist_ok=True)
        aside = folder / f".{uuid.uuid4().hex}.tmp"  # short: a name may be 255 bytes long
        try:
            yield aside
        finally:
            aside.unlink(missing_ok=True)


def _durable(file: Path) -> None:
    with file.open("rb") as written:
        os.fsync(written.fileno())


class S3Store:
    """A store under a prefix of an S3 bucket, by the ``AWS_*`` variables (see `adapters.s3`).

    Before the first write of a process the store has to show that it refuses to write over an
    object: Delta's commits rest on that, and on a store that overwrites they are lost in silence.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.bucket, self.prefix = s3.split(uri)
        s3.allow_http()

    @functools.cached_property
    def client(self) -> Any:
        """Connect lazily."""
        return s3.client()

    def location(self, key: str) -> str:
        """Return the s3:// address of ``key``."""
        return f"s3://{self.bucket}/{self.name(key)}"

    def put(self, key: str, file: Path) -> None:
        """Upload, in parts when it is large; S3 shows an object only when it is whole."""
        self._check()
        with s3.answering(self.location(key)):
            self.client.upload_file(str(file), self.bucket, self.name(key))

    def write(self, key: str, data: bytes) -> None:
        """Put one object."""
        self._check()
        with s3.answering(self.location(key)):
            self.client.put_object(Bucket=self.bucket, Key=self.name(key), Body=data)

    def create(self, key: str, data: bytes) -> bool:
        """Put one object on the condition that there is none."""
        self._check()
        where = {"Bucket": self.bucket, "Key": self.name(key), "Body": data}
        with s3.answering(self.location(key)):
            return s3.created(self.client.put_object, **where)

    def fetch(self, key: str, folder: Path) -> Path:
        """Download into ``folder``."""
        file = folder / f"{uuid.uuid4().hex}-{key.rsplit('/', 1)[-1][-100:]}"
        with s3.answering(self.location(key)):
            self.client.download_file(self.bucket, self.name(key), str(file))
        return file

    def exists(self, key: str) -> bool:
        """Ask for the object's head."""
        try:
            with s3.answering(self.location(key)):
                self.client.head_object(Bucket=self.bucket, Key=self.name(key))
        except FileNotFoundError:
            return False
        return True

    def size(self, key: str) -> int:
        """Ask for the object's head."""
        head = self.client.head_object(Bucket=self.bucket, Key=self.name(key))
        return int(head["ContentLength"])

    def keys(self, prefix: str) -> Iterator[str]:
        """List page by page."""
        with s3.answering(self.location(prefix)):
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=self.name(prefix)):
                for item in page.get("Contents", ()):
                    yield str(item["Key"])[len(self.name("")) :]

    def delete(self, key: str) -> None:
        """Delete the object."""
        with s3.answering(self.location(key)):
            self.client.delete_object(Bucket=self.bucket, Key=self.name(key))

    def name(self, key: str) -> str:
        """Return the object's key in the bucket."""
        return f"{self.prefix}/{key}" if self.prefix else key

    @functools.cached_property
    def keeps_objects(self) -> bool:
        """Whether a conditional put leaves an object alone that is there: one small request."""
        where = {"Bucket": self.bucket, "Key": self.name(_PROBE), "Body": b"trimtab"}
        with s3.answering(self.location(_PROBE)):
            first = s3.created(self.client.put_object, **where)
            return not (first and s3.created(self.client.put_object, **where))

    def _check(self) -> None:
        if not self.keeps_objects:
            raise OverwritesError(
                f"{self.uri} overwrites objects although it is told not to (If-None-Match); "
                "commits would be lost in silence, so nothing is written; use another store"
            )

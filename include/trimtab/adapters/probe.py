"""Try what a store promises: on objects of its own, which are removed afterwards."""

import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trimtab.adapters import s3
from trimtab.adapters.connections import Connection
from trimtab.adapters.store import Folder, S3Store, Store
from trimtab.errors import TrimtabError

_WRITERS = 8


@contextmanager
def scratch(store: Store) -> Iterator[Callable[[str], str]]:
    """Give a maker of keys nobody else uses; remove what was written under them."""
    prefix = f".trimtab/doctor-{uuid.uuid4().hex}/"
    try:
        yield lambda name: f"{prefix}{name}"
    finally:
        for key in list(store.keys(prefix)):
            store.delete(key)
        if isinstance(store, Folder):
            shutil.rmtree(store.root / prefix, ignore_errors=True)


def round_trip(store: Store, key: str) -> float:
    """Write and read an object at once; return the seconds that took.

    Raises:
        TrimtabError: what was read is not what had been written.
    """
    body, began = uuid.uuid4().bytes, time.monotonic()
    store.write(key, body)
    with tempfile.TemporaryDirectory() as folder:
        same = store.fetch(key, Path(folder)).read_bytes() == body
    if not same or key not in store.keys(key):
        raise TrimtabError("an object that was just written cannot be read or listed yet")
    return time.monotonic() - began


def create(store: Store, key: str) -> bool:
    """Create an object as Delta creates a commit; False when it is there already."""
    if isinstance(store, S3Store):
        where = {"Bucket": store.bucket, "Key": store.name(key), "Body": uuid.uuid4().bytes}
        with s3.answering(store.location(key)):
            return s3.created(store.client.put_object, **where)
    return _linked(Path(store.location(key)))


def winners(store: Store, key: str) -> int:
    """Let writers race for one object; return how many were told that they had created it."""
    ready = threading.Barrier(_WRITERS)

    def race(_: int) -> bool:
        ready.wait()
        return create(store, key)

    with ThreadPoolExecutor(_WRITERS) as writers:
        return sum(writers.map(race, range(_WRITERS)))


def takes_any_secret(store: S3Store) -> bool:
    """Whether the store also answers somebody with the wrong secret."""
    from botocore.exceptions import ClientError

    login = str(store.client._request_signer._credentials.access_key)
    wrong = Connection(
        name="wrong",
        kind="aws",
        login=login,
        password=uuid.uuid4().hex,
        extra={"endpoint_url": store.client.meta.endpoint_url, "region_name": s3.region()},
    )
    try:
        s3.client(connection=wrong).list_objects_v2(Bucket=store.bucket, MaxKeys=1)
    except ClientError:
        return False
    return True


def versioning(store: S3Store) -> str:
    """Return ``Enabled``, ``Suspended``, ``off``, or ``unknown`` when the store does not tell."""
    from botocore.exceptions import ClientError

    try:
        answer = store.client.get_bucket_versioning(Bucket=store.bucket)
    except ClientError:
        return "unknown"
    return str(answer.get("Status", "off"))


def skew(store: S3Store) -> float:
    """Return how many seconds this machine's clock is ahead of the store's."""
    with s3.answering(store.uri):
        answer: Any = store.client.head_bucket(Bucket=store.bucket)
    return (datetime.now(UTC) - s3.server_time(answer)).total_seconds()


def _linked(path: Path) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{uuid.uuid4().hex}.tmp")
    aside.write_bytes(b"trimtab")
    try:
        os.link(aside, path)
    except FileExistsError:
        return False
    finally:
        aside.unlink()
    return True

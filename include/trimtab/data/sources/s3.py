"""Files that land under a prefix of an S3 bucket."""

import functools
import hashlib
from pathlib import Path
from typing import Any, cast

from trimtab.adapters import s3
from trimtab.config.source import FilesSource
from trimtab.data import look
from trimtab.data.names import CHECKSUM
from trimtab.data.sources.complete import complete, epoch_ns
from trimtab.data.sources.registry import source
from trimtab.environment import Environment
from trimtab.errors import DependencyError, NotReadyError
from trimtab.types import LandedFile

_PART = 64 << 20  # a lost connection costs one part
_PIECE = 1 << 20


@source("s3")
def open_prefix(env: Environment, dataset: str) -> "S3Prefix":
    """Open the landing prefix of a dataset, with its queue when it has one."""
    spec = cast("FilesSource", env.project.dataset(dataset).source)
    return QueuedPrefix(env, dataset) if spec.events else S3Prefix(env, dataset)


class S3Prefix:
    """The landing prefix of one dataset: the objects directly below it.

    An object is whole as soon as it can be seen. It is known by its ETag, and still when its time
    is older than ``settle`` by the store's own clock: this machine's may be wrong.
    """

    def __init__(self, env: Environment, dataset: str) -> None:
        self.dataset = dataset
        self.spec = cast("FilesSource", env.project.dataset(dataset).source)
        self.bucket, self.prefix = s3.split(self.spec.uri)
        name = self.spec.connection
        self.connection = env.connections(name) if name else None

    @functools.cached_property
    def client(self) -> Any:
        """Connect lazily."""
        return s3.client(connection=self.connection)

    def files(self) -> list[LandedFile]:
        """List the prefix page by page; return the complete objects."""
        try:
            with s3.answering(self.spec.uri, self.connection):
                objects, now = s3.listed(self.client, self.bucket, self.prefix)
        except FileNotFoundError as error:
            raise DependencyError(f"{error}; create the bucket or correct source.uri") from error
        return complete(map(self._landed, objects), self.spec, epoch_ns(now))

    def fetch(self, file: LandedFile, into: Path) -> str:
        """Download in parts, each of them of the object that was listed."""
        digest = hashlib.sha256()
        with into.open("wb") as target:
            for start in range(0, max(file.size, 1), _PART):
                with s3.answering(file.uri, self.connection):
                    for piece in self._part(file, start):
                        digest.update(piece)
                        target.write(piece)
            if target.tell() != file.size:
                raise NotReadyError(f"{file.uri} changed since it was listed; it is judged later")
        sha256 = digest.hexdigest()
        look.compare_hash(file.name, self._expected_hash(file), sha256)
        return sha256

    def probe(self) -> str:
        """List the prefix."""
        return f"{self.spec.uri}: {len(self.files())} complete file(s)"

    def _expected_hash(self, file: LandedFile) -> str | None:
        key = f"{self._key(file.name)}{CHECKSUM}"
        try:
            with s3.answering(f"s3://{self.bucket}/{key}", self.connection):
                text = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read(4096)
        except FileNotFoundError:
            return None
        return look.claimed_hash(f"{file.name}{CHECKSUM}", text)

    def _part(self, file: LandedFile, start: int) -> Any:
        where = {"Bucket": self.bucket, "Key": self._key(file.name)}
        if file.size:  # no range fits an empty object
            where["Range"] = f"bytes={start}-{start + _PART - 1}"
        try:
            answer = self.client.get_object(**where)
        except Exception as error:
            if s3.code(error) in ("NoSuchKey", "InvalidRange"):
                raise NotReadyError(f"{file.uri} is gone or shorter than it was") from error
            raise
        if answer["ETag"].strip('"') != file.tag:
            raise NotReadyError(f"{file.uri} was replaced since it was listed; it is judged later")
        return answer["Body"].iter_chunks(_PIECE)

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    def _landed(self, item: s3.Object) -> LandedFile:
        return LandedFile(
            dataset=self.dataset,
            name=item.name,
            uri=f"s3://{self.bucket}/{item.key}",
            size=item.size,
            mtime_ns=epoch_ns(item.modified),
            tag=item.etag,
        )


class QueuedPrefix(S3Prefix):
    """A landing prefix whose bucket tells an SQS queue of new objects.

    A message is only a doorbell: what it says is not read, the listing is looked at.
    """

    @functools.cached_property
    def queue(self) -> Any:
        """Connect lazily."""
        return s3.client("sqs", self.connection)

    def rung(self, seconds: float) -> bool:
        """Wait for messages, and remove them."""
        with s3.answering(str(self.spec.events), self.connection):
            return s3.rung(self.queue, str(self.spec.events), seconds)

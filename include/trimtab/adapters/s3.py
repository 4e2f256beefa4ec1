"""Clients of S3 and SQS, one way to address them, and their errors in our words.

boto3, Delta and Polars all read ``AWS_ENDPOINT_URL``, ``AWS_REGION``, ``AWS_ACCESS_KEY_ID`` and
``AWS_SECRET_ACCESS_KEY``; the differences between them are evened out here.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from trimtab.adapters.connections import Connection
from trimtab.errors import DependencyError

_MISSING = ("404", "NoSuchKey", "NotFound", "NoSuchBucket")
_CONFLICT = (409, 412)


@dataclass(frozen=True)
class Object:
    """One object of a listing; ``name`` is its key without the prefix."""

    name: str
    key: str
    size: int
    etag: str
    modified: datetime


def split(uri: str) -> tuple[str, str]:
    """Return bucket and prefix of an s3:// address, the prefix without slashes at its ends."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return bucket, prefix.strip("/")


def client(service: str = "s3", connection: Connection | None = None) -> Any:
    """Open a client by the ``AWS_*`` variables, or by a connection instead of them.

    A connection gives the key as login and password, and ``endpoint_url``, ``region_name`` and
    ``aws_session_token`` as extra values, as Airflow's ``aws`` connections do. A server of one's
    own gets the bucket in the path, as Delta and Polars write it: it has no name for each bucket.
    """
    import boto3
    from botocore.config import Config

    given = connection.extra if connection else {}
    endpoint = given.get("endpoint_url") or (None if connection else _endpoint(service))
    style = {"addressing_style": "path"} if endpoint else {}
    config = Config(
        s3=style,
        connect_timeout=5,
        read_timeout=60,
        ignore_configured_endpoint_urls=connection is not None,
        retries={"mode": "standard", "max_attempts": 3},
    )
    session = boto3.Session()  # the default one would keep the first credentials it saw
    return session.client(
        service,
        endpoint_url=endpoint,
        region_name=given.get("region_name") or region(),
        aws_access_key_id=connection.login if connection else None,
        aws_secret_access_key=connection.password if connection else None,
        aws_session_token=given.get("aws_session_token"),
        config=config,
    )


def region() -> str:
    """Return the region: boto3 reads one variable, Delta and Polars the other."""
    names = ("AWS_REGION", "AWS_DEFAULT_REGION")
    return next(filter(None, map(os.environ.get, names)), "us-east-1")


def allow_http() -> None:
    """Let Delta and Polars use a plain http:// endpoint, as boto3 does without being asked."""
    if (_endpoint("s3") or "").startswith("http://"):
        os.environ.setdefault("AWS_ALLOW_HTTP", "true")
    os.environ.setdefault("AWS_REGION", region())


@contextmanager
def answering(place: str, connection: Connection | None = None) -> Iterator[None]:
    """Say in our words what a store answered.

    Raises:
        FileNotFoundError: there is no such object, or no such bucket.
        DependencyError: anything else; worth a retry.
    """
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
    from urllib3.exceptions import HTTPError

    hide = connection.hidden if connection else str
    try:
        yield
    except ClientError as error:
        if code(error) in _MISSING:
            raise FileNotFoundError(f"{place}: {code(error)}") from error
        raise DependencyError(hide(f"{place}: {error}")) from error
    except (BotoCoreError, HTTPClientError, HTTPError) as error:
        raise DependencyError(hide(f"{place} does not answer: {error}")) from error


def code(error: Any) -> str:
    """Return the store's own word for what went wrong; empty when it did not speak."""
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def created(put: Callable[..., Any], **arguments: Any) -> bool:
    """Put an object that must not be there yet; False when the store says that it is."""
    from botocore.exceptions import ClientError

    try:
        put(IfNoneMatch="*", **arguments)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in _CONFLICT:
            return False
        raise
    return True


def listed(s3: Any, bucket: str, prefix: str) -> tuple[list[Object], datetime]:
    """List the objects directly below ``prefix``, and tell the time by the store's own clock."""
    folder = f"{prefix}/" if prefix else ""
    paginator = s3.get_paginator("list_objects_v2")
    pages = list(paginator.paginate(Bucket=bucket, Prefix=folder, Delimiter="/"))
    found = [_object(item, folder) for page in pages for item in page.get("Contents", ())]
    return [item for item in found if item.name], server_time(pages[0])


def rung(sqs: Any, queue: str, seconds: float) -> bool:
    """Wait for messages in a queue, at most 20 s; remove what came."""
    answer = sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=int(min(seconds, 20))
    )
    messages = answer.get("Messages", ())
    for message in messages:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return bool(messages)


def server_time(response: Any) -> datetime:
    """Return the time at which the server answered."""
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return parsedate_to_datetime(headers["date"])


def _object(item: dict[str, Any], folder: str) -> Object:
    return Object(
        name=item["Key"][len(folder) :],
        key=item["Key"],
        size=item["Size"],
        etag=item["ETag"].strip('"'),
        modified=item["LastModified"],
    )


def _endpoint(service: str) -> str | None:
    names = (f"AWS_ENDPOINT_URL_{service.upper()}", "AWS_ENDPOINT_URL")
    return next(filter(None, map(os.environ.get, names)), None)

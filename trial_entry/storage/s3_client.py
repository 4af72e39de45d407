"""Storage's S3 client: AWS's own (boto3), with its credentials, how long it tries, and what its errors mean in a line.

Credentials, region and endpoint are boto3's: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, a pod's or a
machine's role; AWS_ENDPOINT_URL for a server that is not AWS's; a pipeline's step
may have them otherwise for a bucket (`s3_stores`). Where there are no credentials, objects that everybody
may read can be read. Requests that were refused for a moment, cut off or not answered are made again by the library's
own retry, waiting longer each time, for about BOXTUNE_STORAGE_SECONDS (120).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from trial_entry.errors import StorageError, first_line
from trial_entry.storage.client import Patience
from trial_entry.storage.s3_stores import store_of
from trial_entry.storage.urls import parts

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

Answer: TypeAlias = Mapping[str, Any]  # of AWS's client, which makes its classes at run time
_LOG = logging.getLogger(__name__)
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_LONGEST_DELAY, _MOST_TRIES, _FEWEST_TRIES = 20.0, 12, 2
_THREADS = 16  # connections that are kept
_MOST_CLIENTS = 8  # of as many buckets
_LOG_IN = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE, or the pod's role)"
_WRONG_KEY = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "AuthFailure", "401"}
_FORBIDDEN = {"AccessDenied", "AllAccessDisabled", "403"}
_NO_BUCKET = {"NoSuchBucket", "404"}
_REPLACED = {"PreconditionFailed", "412"}
_PASSING = {
    "SlowDown",
    "InternalError",
    "ServiceUnavailable",
    "RequestTimeout",
    "Throttling",
    "429",
    "500",
    "502",
    "503",
}


@lru_cache(maxsize=_MOST_CLIENTS)
def s3_client(bucket: str) -> Any:
    """The client of this process for a bucket; `s3_client.cache_clear()` where the environment has changed.

    Raises:
        StorageError: the package is missing, or what the environment says makes no client.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise StorageError("s3:// needs the package boto3: pip install 'boxtune[s3]'") from None
    from botocore import UNSIGNED

    connect, answer = Patience.from_environment().timeout
    store = store_of(bucket)
    own_server = any(os.environ.get(name) for name in _ENDPOINTS) if store is None else bool(store.endpoint)
    try:
        session = (
            boto3.session.Session(store.access_key, store.secret_key, region_name=store.region or None)
            if store is not None
            else boto3.session.Session()
        )
        anonymous = session.get_credentials() is None
        config = Config(
            connect_timeout=connect,
            read_timeout=answer,
            max_pool_connections=_THREADS,
            retries={"mode": "standard", "total_max_attempts": _tries(Patience.from_environment().seconds)},
            # Servers like S3 know no checksum headers, for the most part; sizes and ETags are compared here.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            **({"s3": {"addressing_style": "path"}} if own_server else {}),
            **({"signature_version": UNSIGNED} if anonymous else {}),
        )
        client = session.client("s3", config=config, endpoint_url=(store.endpoint if store is not None else "") or None)
    except (BotoCoreError, ValueError) as problem:  # a profile that is not there, an endpoint that is no URL
        raise StorageError(f"s3://: {first_line(problem)}; the variables AWS_… say where and as whom") from None
    client.meta.events.register("needs-retry.s3", _say_again)
    return client


def _tries(seconds: float) -> int:
    """As many as take about half of `seconds` in waiting; the library waits half of 1, 2, 4 … 20 seconds on average."""
    tries, waited = 1, 0.0
    while tries < _MOST_TRIES and waited < seconds / 2:
        waited += min(2.0 ** (tries - 1), _LONGEST_DELAY) / 2
        tries += 1
    return max(tries, _FEWEST_TRIES)


def _say_again(
    caught_exception: BaseException | None = None,
    response: tuple[object, Answer] | None = None,
    **_: object,
) -> None:
    """Of the library's events: an answer, or what went wrong, before it is decided whether to try again."""
    if caught_exception is not None and is_passing(caught_exception):
        _LOG.warning("S3: %s; trying again", first_line(caught_exception))
    elif response is not None and _code(response[1]) in _PASSING:
        _LOG.warning("S3: %s; trying again", _said(response[1]))


def is_passing(problem: BaseException) -> bool:
    """Whether the same request may succeed a moment later."""
    import urllib3
    from botocore import exceptions as aws

    if isinstance(problem, aws.ClientError):
        return _code(problem.response) in _PASSING
    others = (aws.HTTPClientError, aws.ConnectionError, ConnectionError, TimeoutError, urllib3.exceptions.HTTPError)
    return isinstance(problem, others)


def has_code(problem: ClientError, *codes: str) -> bool:
    """Whether an error has one of these codes (or HTTP statuses, where an answer had no body)."""
    return _code(problem.response) in codes


@contextmanager
def speaking_plainly(url: str) -> Iterator[None]:
    """Turn what AWS's client raises within into a StorageError of one line; `url` is where.

    Raises:
        StorageError: forbidden, no or wrong credentials, no such bucket, replaced meanwhile, no answer.
        OSError: this machine's disk.
    """
    bucket, _ = parts(url)
    s3_client(bucket)  # whose own errors name no object
    import urllib3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as problem:
        raise _refused(url, bucket, problem) from None
    except (BotoCoreError, ConnectionError, urllib3.exceptions.HTTPError) as problem:
        raise StorageError(f"{url}: {_unanswered(bucket, problem)}", passing=is_passing(problem)) from None


def _refused(url: str, bucket: str, problem: ClientError) -> StorageError:
    code, said = _code(problem.response), _said(problem.response)
    if code in _WRONG_KEY:
        return StorageError(f"{url}: the credentials are not accepted ({said}); {_LOG_IN}")
    if code in _FORBIDDEN:
        if _is_anonymous(bucket):
            return StorageError(f"{url}: not for everybody, and there are no credentials ({said}); {_LOG_IN}")
        return StorageError(
            f"{url}: forbidden with these credentials ({said}); reading needs s3:GetObject and s3:ListBucket, writing "
            "s3:PutObject and s3:DeleteObject"
        )
    if code in _NO_BUCKET:
        return StorageError(f"{url}: no such bucket on {s3_client(bucket).meta.endpoint_url}")
    if code in _REPLACED:
        return StorageError(f"{url}: replaced while it was fetched; begin again")
    return StorageError(f"{url}: S3 says: {said}", passing=is_passing(problem))


def _unanswered(bucket: str, problem: BaseException) -> str:
    from botocore.exceptions import NoCredentialsError, PartialCredentialsError

    said = " ".join(str(problem).split()) or type(problem).__name__
    if isinstance(problem, NoCredentialsError | PartialCredentialsError):
        return f"no credentials ({said}); {_LOG_IN}"
    if is_passing(problem):
        server = s3_client(bucket).meta.endpoint_url
        return f"not served by {server}, tried for a while: {said}; AWS_ENDPOINT_URL says where"
    return f"S3's client says: {said}"


def _is_anonymous(bucket: str) -> bool:
    from botocore import UNSIGNED

    return bool(s3_client(bucket).meta.config.signature_version is UNSIGNED)


def _code(answer: Answer) -> str:
    return str((answer.get("Error") or {}).get("Code") or "")


def _said(answer: Answer) -> str:
    error = answer.get("Error") or {}
    return f"{error.get('Code', '')} {first_line(error.get('Message', ''))}".strip()

"""Storage's s3:// objects: found, listed and read by AWS's client, each by its ETag; put and deleted by `folders`.

Many servers speak S3 and few speak all of it; what is used here is what all have: HEAD, GET with a range and If-Match,
PUT, multipart uploads, ListObjectsV2.
"""

from __future__ import annotations

import io
import time
from pathlib import Path
from threading import Event
from typing import IO

from trial_entry.errors import StorageError
from trial_entry.storage.checksums import PART_BYTES, Md5Writer, is_plain_md5
from trial_entry.storage.client import Patience
from trial_entry.storage.remote_object import RemoteObject
from trial_entry.storage.s3_client import Answer, has_code, is_passing, s3_client, speaking_plainly
from trial_entry.storage.urls import S3, object_parts, parts

_PIECE = 1024 * 1024
_AGAIN_SECONDS = 1.0
_GONE = ("NoSuchKey", "404")
_OWN_KEYS = (None, "AES256")  # encryption under which an ETag is still the content's MD5


def find(url: str) -> RemoteObject | None:
    """See `trial_entry.storage.objects.find`."""
    from botocore.exceptions import ClientError

    bucket, name = object_parts(url)
    with speaking_plainly(url):
        try:
            answer = s3_client(bucket).head_object(Bucket=bucket, Key=name)
        except ClientError as problem:
            if has_code(problem, *_GONE):
                return None
            raise
    return _object(bucket, name, answer["ContentLength"], answer)


def list_named(url: str) -> list[RemoteObject]:
    """See `trial_entry.storage.objects.list_named`."""
    bucket, beginning = parts(url)
    with speaking_plainly(url):
        pages = s3_client(bucket).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=beginning)
        found = [
            _object(bucket, each["Key"], each["Size"], each)
            for page in pages
            for each in page.get("Contents", ())
            if not each["Key"].endswith("/")
        ]
    return sorted(found, key=lambda each: each.name)


def read(url: str) -> bytes | None:
    """See `trial_entry.storage.objects.read`."""
    found = find(url)
    if found is None:
        return None
    opened = io.BytesIO()
    download(found, opened)
    return opened.getvalue()


def download(found: RemoteObject, opened: IO[bytes], given_up: Event | None = None) -> None:
    """See `trial_entry.storage.objects.download`."""
    with speaking_plainly(found.url):
        for _ in range(2):
            opened.seek(0)
            opened.truncate()
            writer = Md5Writer(opened, given_up)
            own_keys = _take(found, writer)
            if writer.size == found.size and not (own_keys and _differs(found, writer)):
                return
    raise StorageError(
        f"{found.url}: arrived twice with a wrong size or checksum; look at what lies between here and the bucket"
    )


def _take(found: RemoteObject, writer: Md5Writer) -> bool:
    """Write the object, going on where the connection was cut; whether its ETag tells of its content."""
    deadline = time.monotonic() + Patience.from_environment().seconds
    while True:
        asked = {"Bucket": found.bucket, "Key": found.name, "IfMatch": f'"{found.etag}"'}
        if writer.size:
            asked["Range"] = f"bytes={writer.size}-"
        answer = s3_client(found.bucket).get_object(**asked)
        try:
            for piece in answer["Body"].iter_chunks(_PIECE):
                writer.write(piece)
        except Exception as problem:
            if not _is_cut(problem) or time.monotonic() > deadline or writer.size >= found.size:
                raise
            time.sleep(_AGAIN_SECONDS)
            continue
        return answer.get("ServerSideEncryption") in _OWN_KEYS and not answer.get("SSECustomerAlgorithm")


def _is_cut(problem: Exception) -> bool:
    from botocore.exceptions import IncompleteReadError

    return is_passing(problem) or isinstance(problem, IncompleteReadError)


def _differs(found: RemoteObject, writer: Md5Writer) -> bool:
    return is_plain_md5(found.etag) and writer.md5 != found.etag


def put(url: str, file: Path) -> None:
    """Store a file as it is now, replacing what is there; large ones in parts.

    Raises:
        StorageError: as `find`.
        OSError: the file cannot be read.
    """
    from boto3.exceptions import S3UploadFailedError
    from boto3.s3.transfer import TransferConfig

    bucket, name = object_parts(url)
    parts_of = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, use_threads=False)
    with speaking_plainly(url):
        try:
            s3_client(bucket).upload_file(str(file), bucket, name, Config=parts_of)
        except S3UploadFailedError as problem:
            raise problem.__context__ or problem from None


def remove(url: str) -> None:
    """Delete an object; one that is gone already is no matter.

    Raises:
        StorageError: as `find`.
    """
    bucket, name = object_parts(url)
    with speaking_plainly(url):
        s3_client(bucket).delete_object(Bucket=bucket, Key=name)


def _object(bucket: str, name: str, size: int, said: Answer) -> RemoteObject:
    etag = str(said.get("ETag", "")).strip('"')
    return RemoteObject(S3, bucket, name, 0, int(size), "", said.get("LastModified"), etag=etag)

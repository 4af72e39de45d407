"""Storage's S3 stores: which server and keys are a bucket's own, where one process reads several stores.

A pipeline's step says so, bucket by bucket; it stands in the environment, so that programs that the step starts read
the same stores. A bucket of which nothing is said is the first store's that was named, else boto3's own way (AWS_…).
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

from trial_entry.errors import StorageError

_VARIABLE = "BOXTUNE_S3_STORES"  # JSON: a store, or null for boto3's own way, by bucket


@dataclass(frozen=True)
class S3Store:
    """A server and who may read it.

    Attributes:
        endpoint: its address; empty for AWS's own.
        region: may be empty.
        access_key, secret_key: the keys.
    """

    endpoint: str
    region: str
    access_key: str
    secret_key: str


def use_store(bucket: str, store: S3Store | None) -> None:
    """Read and write a bucket at its store from now on; None for boto3's own way.

    Raises:
        StorageError: a bucket of this name is already another store's.
    """
    said = _said()
    if bucket in said and said[bucket] != store:
        raise StorageError(
            f"the bucket {bucket} is read from two stores, or with two keys, in one step, and they cannot be told "
            "apart; name one of the buckets otherwise"
        )
    said[bucket] = store
    stores = {name: asdict(each) if each is not None else None for name, each in said.items()}
    os.environ[_VARIABLE] = json.dumps(stores)


def store_of(bucket: str) -> S3Store | None:
    """Where a bucket is; None for boto3's own way."""
    said = _said()
    return said[bucket] if bucket in said else next((each for each in said.values() if each is not None), None)


def _said() -> dict[str, S3Store | None]:
    found = json.loads(os.environ.get(_VARIABLE) or "{}")
    return {bucket: S3Store(**each) if each is not None else None for bucket, each in found.items()}

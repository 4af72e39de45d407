"""Buckets for the tests here."""

from tests.bucket_fixtures import bucket, faults, proxy, server
from tests.s3_fixtures import s3_bucket, s3_faults, s3_proxy, s3_server

__all__ = ["bucket", "faults", "proxy", "s3_bucket", "s3_faults", "s3_proxy", "s3_server", "server"]

"""Buckets for the tests here."""

from tests.bucket_fixtures import bucket, faults, proxy, server

__all__ = ["bucket", "faults", "proxy", "server"]

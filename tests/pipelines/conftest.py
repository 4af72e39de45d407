"""What the pipelines' tests share: buckets, a finished search, a trained model."""

from tests.boxtune.delivery.conftest import search, trained
from tests.bucket_fixtures import bucket, proxy, server
from tests.s3_fixtures import s3_bucket, s3_server

__all__ = ["bucket", "proxy", "s3_bucket", "s3_server", "search", "server", "trained"]

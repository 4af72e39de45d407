"""Storage's client: Google's own, with its credentials, how long it tries, and what its errors mean in a line.

Credentials are Google's application default ones (a key's file in GOOGLE_APPLICATION_CREDENTIALS, workload identity,
`gcloud auth application-default login`); where there are none, objects that everybody may read can be read.
Requests that were refused for a moment (429, 5xx), cut off or not answered in time are made again by the library's own
retry, waiting longer each time, until BOXTUNE_STORAGE_SECONDS (120) are over.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from trial_entry.errors import StorageError, first_line

_LOG = logging.getLogger(__name__)
_SECONDS = "BOXTUNE_STORAGE_SECONDS"
_CONNECT_SECONDS, _ANSWER_SECONDS = 10.0, 60.0
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 15.0  # seconds between two tries
_REQUEST_TIMEOUT, _TOO_MANY, _SERVER_ERROR = 408, 429, 500
_LOG_IN = "log in again (gcloud auth application-default login), or give a key's file in GOOGLE_APPLICATION_CREDENTIALS"


@dataclass(frozen=True)
class Patience:
    """How long a request may take.

    Attributes:
        seconds: in all, with everything that was tried again.
    """

    seconds: float = 120.0

    @classmethod
    def from_environment(cls) -> Patience:
        """Raises StorageError where BOXTUNE_STORAGE_SECONDS is no positive number."""
        text = os.environ.get(_SECONDS)
        if text is None:
            return cls()
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0.0
        if not seconds > 0:
            raise StorageError(f"{_SECONDS}={text}: must be a number of seconds above 0")
        return cls(seconds)

    @property
    def timeout(self) -> tuple[float, float]:
        """Seconds for a connection, and for an answer to one try."""
        return min(_CONNECT_SECONDS, self.seconds), min(_ANSWER_SECONDS, self.seconds / 2)

    def options(self) -> dict[str, Any]:
        """What every request of the library is given."""
        return {"timeout": self.timeout, "retry": _retry(self.seconds)}


@lru_cache(maxsize=1)
def storage_client() -> Any:
    """The client of this process.

    Raises:
        StorageError: the package is missing, or the credentials are none.
    """
    try:
        from google.auth.exceptions import DefaultCredentialsError
        from google.cloud.storage import Client
    except ImportError:
        raise StorageError("gs:// needs the package google-cloud-storage: pip install 'boxtune[gcs]'") from None
    if "STORAGE_EMULATOR_HOST" in os.environ:
        return Client.create_anonymous_client()
    try:
        return Client(project=None)  # only making buckets needs one
    except DefaultCredentialsError as problem:
        if "GOOGLE_APPLICATION_CREDENTIALS" in os.environ:
            raise StorageError(f"GOOGLE_APPLICATION_CREDENTIALS: {first_line(problem)}") from None
        return Client.create_anonymous_client()


@lru_cache(maxsize=4)
def _retry(seconds: float) -> Any:
    """The library's retry, which says in the log that it tries again."""
    from google.api_core.retry import Retry

    class SayingRetry(Retry):  # type: ignore[misc]  # the library is not typed
        def __call__(self, func: Callable[..., Any], on_error: Callable[[Exception], Any] | None = None) -> Any:
            return super().__call__(func, on_error or _say_again)

    return SayingRetry(predicate=is_passing, initial=_FIRST_DELAY, maximum=_LONGEST_DELAY, timeout=seconds)


def _say_again(problem: Exception) -> None:
    _LOG.warning("Cloud Storage: %s; trying again", _said(problem))


def is_passing(problem: BaseException) -> bool:
    """Whether the same request may succeed a moment later."""
    from http.client import HTTPException

    import requests
    import urllib3
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import TransportError
    from google.cloud.storage.exceptions import InvalidResponse

    if isinstance(problem, InvalidResponse):
        return _passes(problem.response.status_code)
    if isinstance(problem, GoogleAPICallError):
        return _passes(problem.code or 0)
    if isinstance(problem, requests.RequestException):
        kinds = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
        return isinstance(problem, kinds)
    others = (RetryError, TransportError, ConnectionError, TimeoutError, HTTPException, urllib3.exceptions.HTTPError)
    return isinstance(problem, others)


def _passes(status: int) -> bool:
    return status in (_REQUEST_TIMEOUT, _TOO_MANY) or status >= _SERVER_ERROR


@contextmanager
def speaking_plainly(url: str) -> Iterator[None]:
    """Turn what Google's client raises within into a StorageError of one line; `url` is where.

    Raises:
        StorageError: forbidden, not logged in, no such bucket, no answer.
        OSError: this machine's disk.
    """
    storage_client()  # whose own errors name no object
    from google.api_core.exceptions import Forbidden, GoogleAPIError, NotFound, RetryError, Unauthorized
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.storage.exceptions import InvalidResponse
    from requests.exceptions import RequestException

    try:
        yield
    except Unauthorized as problem:
        raise StorageError(f"{url}: the credentials are not accepted ({_said(problem)}); {_LOG_IN}") from None
    except Forbidden as problem:
        raise StorageError(
            f"{url}: forbidden with these credentials ({_said(problem)}); reading needs roles/storage.objectViewer, "
            "writing roles/storage.objectUser, of this bucket, whichever project has it"
        ) from None
    except NotFound:
        raise StorageError(f"{url}: no such bucket; gcloud storage buckets create makes one") from None
    except RetryError as problem:
        seconds = Patience.from_environment().seconds
        last = _said(problem.cause or problem)
        raise StorageError(f"{url}: not served by Cloud Storage within {seconds:g} s: {last}", passing=True) from None
    except GoogleAuthError as problem:
        if is_passing(problem):
            raise StorageError(f"{url}: no credentials to be had: {_said(problem)}", passing=True) from None
        raise StorageError(f"{url}: the credentials are not accepted ({_said(problem)}); {_LOG_IN}") from None
    except (GoogleAPIError, InvalidResponse, RequestException, ConnectionError) as problem:
        raise StorageError(f"{url}: Cloud Storage says: {_said(problem)}", passing=is_passing(problem)) from None


def _said(problem: BaseException) -> str:
    """What the server says of it in a line, else what the library says."""
    response = getattr(problem, "response", None)
    if response is not None:
        try:
            return f"{response.status_code} {first_line(response.json()['error']['message'])}"
        except (AttributeError, KeyError, TypeError, ValueError):
            code = getattr(response, "status_code", None)
            return f"{code} {first_line(getattr(response, 'text', ''))}".strip()
    return first_line(problem) or type(problem).__name__

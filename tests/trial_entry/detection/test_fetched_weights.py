"""A CenterNet's MobileNet, whose weights Keras fetches while it is built: where it cannot, that is said in one line."""

from __future__ import annotations

from pathlib import Path

from tests.faults.test_configs import CASES
from tests.trials import run, train_arguments
from trial_entry.contract.exit_codes import EXIT_REQUEST

_NOWHERE = "http://127.0.0.1:9"  # the port of `discard`, at which nothing listens


def test_weights_that_cannot_be_fetched_are_a_wrong_request(tmp_path: Path) -> None:
    config = CASES / "21-center-net" / "mobilenet.config"
    proxies = {"https_proxy": _NOWHERE, "HTTPS_PROXY": _NOWHERE, "no_proxy": "", "NO_PROXY": ""}
    done = run("build", *train_arguments(config, tmp_path / "model"), KERAS_HOME=str(tmp_path), **proxies)
    assert done.code == EXIT_REQUEST, done.err
    assert "Keras fetches from the internet, and they cannot be fetched" in done.reason
    assert "Traceback" not in done.err

"""A pipeline run on this machine by `kfp.local`: each step a process or a container, artifacts in a folder."""

from __future__ import annotations

import os
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO, cast

import psutil
from kfp import local
from kfp.local.config import LocalExecutionConfig

from boxtune.delivery.asking import termination_as_interruption
from boxtune.errors import (
    EXIT_FAILED,
    EXIT_INPUT,
    EXIT_INTERRUPTED,
    BoxtuneError,
    ExperimentFailed,
    InputError,
    Interrupted,
)
from pipelines.pipelines import make
from pipelines.placement import Placement
from pipelines.run_log import LOG_FILE, disk_errors, opened_log
from pipelines.steps.telling import BEGINS, ENDS, MARKED_VARIABLE, RUNNER_VARIABLE, Told, read_told

SUBPROCESS, DOCKER = "subprocess", "docker"
_CACHE = ".cache"
_LABEL = "boxtune.run"
_GRACE_SECONDS = 60.0
# In a container: its first process is a shell, which passes no signal on; the step is that one's child.
_END_STEP = "import psutil; [each.terminate() for each in psutil.Process(1).children()]"
_SHELLS = ("sh", "dash", "bash")
_ERRORS: Mapping[int, type[BoxtuneError]] = {
    EXIT_INPUT: InputError,
    EXIT_FAILED: ExperimentFailed,
    EXIT_INTERRUPTED: Interrupted,
}


@dataclass(frozen=True)
class LocalOptions:
    """How a pipeline is run here.

    Attributes:
        out: the folder of artifacts, cache and log.
        runner: SUBPROCESS or DOCKER.
        image: of DOCKER's containers; None for this version's.
        read, written: files and folders that containers see under the same paths.
    """

    out: Path
    runner: str = SUBPROCESS
    image: str | None = None
    read: Sequence[Path] = ()
    written: Sequence[Path] = ()


@dataclass
class _Heard:
    """What the steps have told.

    Attributes:
        show: is told what people should see.
        begun: the step that runs.
        failed: the end of one that failed.
    """

    show: Callable[[Told], None]
    begun: str = ""
    failed: Told | None = None

    def hear(self, told: Told) -> None:
        if told.what == BEGINS:
            self.begun = told.step
        if told.what == ENDS and told.code:
            self.failed = told
        self.show(told)


@dataclass
class _Sink:
    """Standard output of kfp: all of it goes to a log, what steps tell is heard."""

    log: TextIO
    heard: _Heard
    encoding: str = "utf-8"
    _line: str = field(default="", init=False)

    def write(self, text: str) -> int:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            told = read_told(line)
            if told is not None:
                self.heard.hear(told)
            with suppress(OSError):
                self.log.write(f"{line if told is None else told.sentence}\n")
        self.flush()
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):  # of which kfp's own logging would print a traceback; closing says it in a line
            self.log.flush()

    def isatty(self) -> bool:
        return False


def run_here(
    name: str, arguments: Mapping[str, object], options: LocalOptions, show: Callable[[Told], None]
) -> Mapping[str, str]:
    """Run a pipeline; returns its outputs by name, of artifacts where they lie.

    Args:
        show: is told what the steps tell, as it comes.

    Raises:
        BoxtuneError: a step failed, by its exit code: InputError, ExperimentFailed, Interrupted or another.
    """
    pipeline = make(name, Placement.of(options.image, {}))
    label = uuid.uuid4().hex
    heard = _Heard(show)
    with (
        disk_errors(options.out),
        opened_log((options.out, *options.written)) as log,
        _interrupted(options.out),
        _environment(),
        _children_ended(label, options.runner),
        _quiet_kfp(log, heard),
        _docker_errors(),
    ):
        try:
            local.init(
                runner=_runner(options, label),
                pipeline_root=str(options.out.absolute()),
                enable_caching=True,
                cache_root=str(options.out.absolute() / _CACHE),
            )
            with termination_as_interruption():
                outputs = pipeline(**arguments).outputs
            return {name: each if isinstance(each, str) else each.path for name, each in outputs.items()}
        except RuntimeError as failed:
            raise _failure(heard, options.out / LOG_FILE, failed) from None
        finally:
            LocalExecutionConfig.instance = None


def _failure(heard: _Heard, log: Path, failed: RuntimeError) -> BoxtuneError:
    end = heard.failed
    if end is None:
        where = f"{heard.begun} ended without a word" if heard.begun else f"the pipeline could not be run: {failed}"
        return BoxtuneError(f"{where}; {log} has everything")
    if end.code not in _ERRORS:
        return BoxtuneError(f"{end.step}: {end.text}; {log} has everything")
    return _ERRORS[end.code](f"{end.step}: {end.text}")


def _runner(options: LocalOptions, label: str) -> object:
    if options.runner == SUBPROCESS:
        return local.SubprocessRunner(use_venv=False)
    try:
        from docker.types import Mount
    except ImportError:
        raise InputError("--runner docker: needs the package docker: pip install boxtune[docker]") from None
    mounts = [
        Mount(str(path), str(path), type="bind", read_only=read_only)
        for paths, read_only in ((options.read, True), (options.written, False))
        for path in dict.fromkeys(each.absolute() for each in paths)
    ]
    environment = {MARKED_VARIABLE: "1", "PYTHONUNBUFFERED": "1", "HOME": "/tmp"}
    return local.DockerRunner(
        user=f"{os.getuid()}:{os.getgid()}",
        entrypoint=[],
        mounts=mounts,
        environment=environment,
        labels={_LABEL: label},
    )


@contextmanager
def _interrupted(out: Path) -> Iterator[None]:
    """Ctrl-C and SIGTERM end a run in order; what has ended stays."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"{out}: the run was interrupted; the same command goes on") from None


@contextmanager
def _environment() -> Iterator[None]:
    """What the steps' processes are told by their environment."""
    ours = {MARKED_VARIABLE: "1", RUNNER_VARIABLE: str(os.getpid()), "PYTHONUNBUFFERED": "1"}
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _quiet_kfp(log: TextIO, heard: _Heard) -> Iterator[None]:
    with redirect_stdout(cast(TextIO, _Sink(log, heard))), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the image's name has no "python" in it, and the like
        yield


@contextmanager
def _children_ended(label: str, runner: str) -> Iterator[None]:
    """What the steps started does not outlive the run."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    try:
        yield
    except BaseException:
        if runner == DOCKER:
            _stop_containers(label)
        children = [each for each in psutil.Process().children(recursive=True) if each.pid not in before]
        for step in _steps():
            step.terminate()  # and ends in order what it has started itself
        _, alive = psutil.wait_procs(children, _GRACE_SECONDS)
        for child in alive:
            child.kill()
        raise


def _steps() -> Iterator[psutil.Process]:
    """The steps' own processes: kfp's shells pass no signal on."""
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            yield from child.children() if child.name() in _SHELLS else [child]


@contextmanager
def _docker_errors() -> Iterator[None]:
    """What docker says is one line here; without the package there are none.

    Raises:
        InputError: docker does not answer, or has no such image.
    """
    try:
        from docker.errors import DockerException
    except ImportError:
        yield
        return
    try:
        yield
    except DockerException as problem:
        said = getattr(problem, "explanation", None) or problem
        raise InputError(f"docker: {said} (DOCKER_HOST says where it is, --image which image)") from None


def _stop_containers(label: str) -> None:
    import docker

    client = docker.from_env()
    try:
        for container in client.containers.list(filters={"label": f"{_LABEL}={label}"}):
            container.exec_run(["python", "-c", _END_STEP])
            container.stop(timeout=int(_GRACE_SECONDS))  # waits; its first process is a shell, which hears nothing
    finally:
        client.close()

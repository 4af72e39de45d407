"""The contract's socket: how `serve` is asked for a process, by one connection of its Unix socket each.

    whoever asks                       the server
    REQUEST and two descriptors  →     forks
                                 ←     `PID`, by the new process, which waits
    an empty line                →     it begins; where the connection ends instead, it ends too
                                 ←     `STATUS`, how it ended, as wait() has it

Each is a line. Where the connection ends without a STATUS, the server has died.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

BEGIN = b"\n"
_CHUNK = 65536
_DESCRIPTORS = 2  # standard output and error


@dataclass(frozen=True)
class ProcessRequest:
    """What a process would be started with.

    Attributes:
        argv: after `python -m trial_entry`.
        environment: all of it.
        folder: the working folder.
    """

    argv: Sequence[str]
    environment: Mapping[str, str]
    folder: str


def send_request(connection: socket.socket, request: ProcessRequest, output: int, error: int) -> None:
    """Ask for a process with `output` and `error` as its descriptors 1 and 2.

    Raises:
        OSError: the server is gone.
    """
    line = json.dumps(asdict(request)).encode() + b"\n"
    sent = socket.send_fds(connection, [line], [output, error])
    connection.sendall(line[sent:])


def receive_request(connection: socket.socket) -> tuple[ProcessRequest, int, int]:
    """The request and its two descriptors, which are the caller's to close.

    Raises:
        ValueError: whoever connected asked for something else, or for nothing.
        OSError: the connection broke, or was silent for longer than its time-out.
    """
    line, descriptors, _, _ = socket.recv_fds(connection, _CHUNK, 2)
    try:
        while line and not line.endswith(b"\n"):
            more = connection.recv(_CHUNK)
            if not more:
                break
            line += more
        if len(descriptors) != _DESCRIPTORS:
            raise ValueError("a request needs two descriptors")
        try:
            request = ProcessRequest(**json.loads(line))
        except TypeError as error:
            raise ValueError(str(error)) from None
    except (ValueError, OSError):
        for descriptor in descriptors:
            os.close(descriptor)
        raise
    return request, descriptors[0], descriptors[1]

"""Objects through the cache and into a store beside a plain client's copy, on a bucket server here, in one run.

python -m tests.benchmarks.storage: prints seconds of both sides and their ratio, and what a training loses by going up.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from boxtune.demo.digits import DigitsSpec, make_digits
from tests.buckets import client, serving
from tests.conftest import write_config
from trial_entry.storage.client import storage_client
from trial_entry.storage.paths import local_folder
from trial_entry.storage.store import open_store

MEBIBYTE = 1024 * 1024
REPEATS = 5
LATENCY = 0.01  # seconds, each way
KINDS = (("one object of 128 MiB", 1, 128 * MEBIBYTE), ("200 objects of 256 KiB", 200, MEBIBYTE // 4))
TRAINING = ("--checkpoint_every_n=20", "--num_train_steps=200", "--seed=1")


def main() -> None:
    """Print each."""
    with tempfile.TemporaryDirectory() as name, serving() as address:
        os.environ |= {"STORAGE_EMULATOR_HOST": address, "BOXTUNE_CACHE": str(Path(name) / "cache")}
        bucket = client().create_bucket("bench")
        for what, count, size in KINDS:
            copies(bucket, Path(name), what, count, size)
        training(Path(name))
        with far_away(address) as far:
            os.environ["STORAGE_EMULATOR_HOST"] = far
            storage_client.cache_clear()
            for what, count, size in KINDS:
                copies(client().bucket("bench"), Path(name), f"{what}, {LATENCY * 2000:.0f} ms away", count, size)


@contextmanager
def far_away(address: str) -> Iterator[str]:
    """The same server, every byte on its way for LATENCY seconds; a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        relay = multiprocessing.Process(target=_relay, args=(listening, int(address.rpartition(":")[2])), daemon=True)
        relay.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            relay.terminate()
            relay.join()


def _relay(listening: socket.socket, server: int) -> None:
    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while piece := await reader.read(1024 * 1024):
            loop.call_later(LATENCY, writer.write, piece)
        loop.call_later(LATENCY, writer.close)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", server)
        await asyncio.gather(pass_on(reader, far_writer), pass_on(far_reader, writer))

    async def serve() -> None:
        async with await asyncio.start_server(connect, sock=listening) as started:
            await started.serve_forever()

    asyncio.run(serve())


def copies(bucket: Any, here: Path, what: str, count: int, size: int) -> None:
    """Down into an empty cache, again, and up into a store, each beside the client's own calls, in turns."""
    source = Path(tempfile.mkdtemp(dir=here))
    for number in range(count):
        (source / str(number)).write_bytes(os.urandom(size))
        bucket.blob(f"{source.name}/{number}").upload_from_filename(str(source / str(number)))
    names = sorted(file.name for file in source.iterdir())

    def plain_down() -> None:
        folder = here / "plain"
        folder.mkdir()
        for name in names:
            bucket.blob(f"{source.name}/{name}").download_to_filename(str(folder / name))

    def our_down() -> None:
        local_folder(f"gs://bench/{source.name}")

    def plain_up(turn: int) -> None:
        for name in names:
            bucket.blob(f"plain-{source.name}-{turn}/{name}").upload_from_filename(str(source / name))

    def our_up(turn: int) -> None:
        store = open_store(f"gs://bench/ours-{source.name}-{turn}")
        for name in names:
            store.put(name, source / name)

    down: list[tuple[float, float, float]] = []
    up: list[tuple[float, float]] = []
    for turn in range(REPEATS):
        sides = [plain_down, our_down, our_down, partial(plain_up, turn), partial(our_up, turn)]
        order = [0, 1, 2, 3, 4] if turn % 2 else [1, 2, 0, 4, 3]  # neither always comes second
        took = {place: seconds(sides[place]) for place in order}
        down.append((took[0], took[1], took[2]))
        up.append((took[3], took[4]))
        shutil.rmtree(here / "plain")
        shutil.rmtree(here / "cache" / "objects")
        shutil.rmtree(here / "cache" / "trees")
    plain, first, again = medians(down)
    print(f"{what}, down: the client {plain:.2f} s, into the cache {first:.2f} s: {plain / first:.2f} times as fast")
    print(f"  once there: {again:.3f} s")
    plain, ours = medians(up)
    print(f"{what}, up: the client {plain:.2f} s, into a store {ours:.2f} s: {plain / ours:.2f} times as fast")


def training(here: Path) -> None:
    """The same training with its MODEL_DIR in a folder and in the bucket, in turns: the whole, and steps a second."""
    data = here / "data"
    make_digits(data, DigitsSpec(train_images=200, validation_images=12))
    config = write_config(data)
    found: dict[str, list[float]] = {"folder": [], "bucket": []}
    for turn in range(3):
        for kind, place in (("folder", here / f"model-{turn}"), ("bucket", f"gs://bench/model-{turn}")):
            words = [f"--pipeline_config_path={config}", f"--model_dir={place}", *TRAINING]
            began = time.perf_counter()
            subprocess.run([sys.executable, "-m", "trial_entry", *words], check=True, capture_output=True)
            found[kind].append(time.perf_counter() - began)
    folder, remote = (statistics.median(found[kind]) for kind in ("folder", "bucket"))
    print(
        f"a training of 200 steps with a checkpoint of 7 MiB every 20: into a folder {folder:.1f} s, into the bucket "
        f"{remote:.1f} s: {folder / remote:.2f} times as fast"
    )


def medians(rows: Sequence[Sequence[float]]) -> list[float]:
    """Of each column."""
    return [statistics.median(column) for column in zip(*rows, strict=True)]


def seconds(work: Callable[[], Any]) -> float:
    """That it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

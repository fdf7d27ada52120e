"""What the commands share that run a node: the passphrase, the wish to stop, and a free port."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import secrets
import signal
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from federation.errors import InvalidInput
from federation.ports import Entropy
from node import log
from node.cli.output import Document
from node.clock import SystemClock
from node.keystore import Cost, read_passphrase
from node.use_cases.world import World

CommandType = TypeVar("CommandType", bound=Callable[..., Any])

_PORTS: Final = range(20_000, 32_000)
"""Below the range from which systems take ports for outgoing connections, so that a port that is free stays free for its node."""
_TRIES: Final = 200


def world() -> World:
    """This machine's clock and its source of unpredictable bytes."""
    return World(clock=SystemClock(), entropy=secrets.token_bytes)


cost_option: Final = click.option(
    "--keystore-cost",
    type=click.Choice([cost.name.lower() for cost in Cost]),
    default=Cost.MODERATE.name.lower(),
    show_default=True,
    help="What one guess of the passphrase costs; minimal is for demonstrations.",
)
home_option: Final = click.option(
    "--home",
    required=True,
    metavar="DIR",
    envvar="GSP_HOME",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of this node's files; or set GSP_HOME.",
)


def home_options(command: CommandType) -> CommandType:
    """Where a node's files are, and where the passphrase of its keystore comes from."""
    file = click.option(
        "--passphrase-file",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="A file with the keystore's passphrase, such as a systemd credential. Without it the passphrase is asked for.",
    )
    descriptor = click.option(
        "--passphrase-fd", metavar="N", type=click.IntRange(min=0), help="An open file descriptor with the passphrase."
    )
    return home_option(file(descriptor(command)))


def passphrase(
    file: Path | None, descriptor: int | None, *, new: bool = False, words: str = "Passphrase of the keystore"
) -> bytes:
    """Read the passphrase from where it was said to be, or ask for it.

    Raises:
        InvalidInput: named twice, empty, or not readable.
    """
    if file is not None and descriptor is not None:
        raise InvalidInput("name one source of the passphrase, not two")
    if file is not None:
        return read_passphrase(file)
    if descriptor is not None:
        return read_passphrase(descriptor)
    asked: str = click.prompt(words, hide_input=True, confirmation_prompt=new, err=True)
    return asked.encode()


def ready_line(words: str, document: Document, *, as_json: bool) -> str:
    """What a node prints once it can be reached: one line, for people or for programs."""
    return json.dumps(document) if as_json else words


def run_until_stopped(node: AbstractAsyncContextManager[Any], *, ready: str, level: str) -> None:
    """Run a node until the process is asked to stop; it says when it is ready."""
    log.configure(level)
    asyncio.run(_until_stopped(node, ready=ready))


async def _until_stopped(node: AbstractAsyncContextManager[Any], *, ready: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with node:
        spare_the_collector()
        click.echo(ready)
        await stop.wait()


def spare_the_collector() -> None:
    """What was made until now stays; of what a query makes, nearly nothing is cyclic. Looking for cycles all the same took a tenth of
    a busy node's time, so it is done less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def free_address(address: str, *, entropy: Entropy = secrets.token_bytes) -> str:
    """The address with a free port in the place of port 0; an address with a port is given back.

    Raises:
        InvalidInput: no free port was found.
    """
    host, _, port = address.rpartition(":")
    if port != "0":
        return address
    for _ in range(_TRIES):
        candidate = _PORTS[int.from_bytes(entropy(4)) % len(_PORTS)]
        with socket.socket(socket.AF_INET6 if host.startswith("[") else socket.AF_INET) as probe:
            try:
                probe.bind((host.strip("[]"), candidate))
            except OSError:
                continue
        return f"{host}:{candidate}"
    raise InvalidInput(f"no free port was found at {host}", hint="name one")


def private_file(path: Path, text: str) -> None:
    """Write a new file that only its owner can read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())

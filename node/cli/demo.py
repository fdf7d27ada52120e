"""`gsp demo`: a whole federation on this machine, its story, and every process stopped again."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from federation.errors import FederationError, InvalidInput, Misuse
from node.cli.demonstration.cast import invent_books, read_cast
from node.cli.demonstration.federation import Federation
from node.cli.demonstration.keeping import guide_document, guide_lines, write_codes
from node.cli.demonstration.processes import Processes
from node.cli.demonstration.story import tell_story
from node.cli.demonstration.teller import Teller, Told
from node.cli.exit_codes import ExitCode, exit_code
from node.cli.options import json_option
from node.cli.output import Document, remark, show
from node.cli.serving import world

Result = TypeVar("Result")

_SOMEWHERE: Final = ""
"""`--keep` without a folder."""


@click.command
@click.option("--headless", is_flag=True, help="Without pauses for reading.")
@click.option(
    "--keep",
    metavar="[DIR]",
    is_flag=False,
    flag_value=_SOMEWHERE,
    default=None,
    help="Leave the federation running afterwards until Ctrl-C and keep its files: in DIR, or in a temporary folder.",
)
@json_option
def demo(*, headless: bool, keep: str | None, as_json: bool) -> int:
    """Run a whole federation on this machine and tell its story: who asks, who answers, and what can be proved afterwards."""
    return asyncio.run(_demo(keep, pauses=not headless and not as_json, as_json=as_json))


async def _demo(keep: str | None, *, pauses: bool, as_json: bool) -> int:
    stop = _stop_on_signals()
    teller = Teller(aloud=not as_json, pauses=pauses)
    with _folder(keep) as folder:
        async with Processes(folder) as processes:
            cast = read_cast()
            books = invent_books(cast, now=world().now())
            federation = Federation(folder=folder, cast=cast, books=books, processes=processes)
            telling = await _unless_stopped(tell_story(federation, teller), stop)
            if telling.cancelled():
                return ExitCode.INTERRUPTED
            failure = telling.result()
            if keep is not None and failure is None:
                await _keep_running(federation, teller, stop, as_json=as_json)
    if keep is None:
        return _show_end(teller, failure, as_json=as_json)
    if failure is not None:
        return _show_end(teller, Misuse(failure.message, hint=f"the nodes' logs are in {folder / 'logs'}"), as_json=as_json)
    remark(f"every process is stopped; the files stay in {folder}")
    return ExitCode.FINE


def _stop_on_signals() -> asyncio.Event:
    """An event in the place of the usual end, so that the processes are stopped in order, however often Ctrl-C is pressed."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # or nohup was asked for
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _unless_stopped(work: Coroutine[Any, Any, Result], stop: asyncio.Event) -> asyncio.Task[Result]:
    """Work to its end, or cancel it when the user stops it; gives the task, done or cancelled."""
    try:
        async with asyncio.TaskGroup() as group:
            working, waiting = group.create_task(work), group.create_task(stop.wait())
            await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
            working.cancel()
            waiting.cancel()
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return working


@contextmanager
def _folder(keep: str | None) -> Iterator[Path]:
    """A folder for everything; it is removed at the end unless it is to be kept.

    Raises:
        InvalidInput: the folder that was named cannot be used.
    """
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="gsp-demo-") as name:
            yield Path(name)
    elif keep == _SOMEWHERE:
        yield Path(tempfile.mkdtemp(prefix="gsp-demo-"))
    else:
        folder = Path(keep).absolute()
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise InvalidInput(f"{folder} cannot be made: {error.strerror}") from error
        if any(folder.iterdir()):
            raise InvalidInput(f"{folder} is not empty", hint="name a folder that is empty or not there yet")
        yield folder


async def _keep_running(federation: Federation, teller: Teller, stop: asyncio.Event, *, as_json: bool) -> None:
    """Say how to use the federation, and wait for Ctrl-C."""
    write_codes(federation)
    show({**_document(teller, None), "federation": guide_document(federation)}, guide_lines(federation), as_json=as_json)
    await stop.wait()


def _show_end(teller: Teller, failure: FederationError | None, *, as_json: bool) -> int:
    """Say how it went, when everything is stopped again."""
    if failure is not None and not as_json:
        raise failure
    words = f"All {len(teller.chapters) - 1} chapters hold, after {teller.age_s:.0f} seconds. Every process is stopped again."
    show(_document(teller, failure), ["", words], as_json=as_json)
    return exit_code(failure) if failure is not None else ExitCode.FINE


def _document(teller: Teller, failure: FederationError | None) -> Document:
    document = {
        "holds": failure is None,
        "seconds": round(teller.age_s, 3),
        "exit_code": exit_code(failure) if failure is not None else ExitCode.FINE,
        "chapters": [_chapter(told) for told in teller.chapters],
    }
    if failure is not None:
        document["error"] = {"code": failure.code, "message": failure.message, "hint": failure.hint}
    return document


def _chapter(told: Told) -> Document:
    return {
        "number": told.number,
        "title": told.title,
        "holds": not told.problem,
        "seconds": round(told.seconds, 3),
        "facts": told.facts,
    }

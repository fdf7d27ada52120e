"""`gsp inbox import`: a file that was carried here, taken as if the network had brought what is in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, desk_options
from node.cli.output import show
from node.cli.parcel_words import (
    check_new,
    exported_document,
    exported_lines,
    imported_document,
    imported_lines,
    outcomes_of,
    read_file,
    write_new,
)
from node.cli.session import Surroundings, pass_surroundings, session
from node.rpc.parcels import ParcelsClient
from node.use_cases.carrying_values import Exported, Step


@click.command("import")
@click.argument("file", type=FILE)
@click.option(
    "--reply",
    "back",
    metavar="BACK",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A new file with the receipts and answers, to be carried back and imported there.",
)
@desk_options
@pass_surroundings
def import_command(
    surroundings: Surroundings, *, file: Path, back: Path | None, profile_folder: Path | None, as_json: bool
) -> int:
    """Take a file that `gsp outbox export` made at another Party's node, or its reply at one's own.

    Each message comes through the same door as from the network, and once however often it comes; one that is refused keeps no other
    one out. Needs the right to administer.
    """
    if back is not None:
        check_new(back)
    steps, reply = asyncio.run(_import(read_file(file), surroundings, profile_folder, reply=back is not None))
    if back is not None and reply is not None:
        write_new(back, reply.file)
    document = imported_document(steps)
    document["reply"] = exported_document(back, reply) if back is not None and reply is not None else None
    show(document, _lines(steps, back, reply), as_json=as_json)
    bad = any(outcome.problem for outcome in outcomes_of(steps))
    return ExitCode.WARNING if bad else ExitCode.FINE


def _lines(steps: Sequence[Step], back: Path | None, reply: Exported | None) -> Iterator[str]:
    yield from imported_lines(steps)
    if back is not None and reply is not None:
        yield from exported_lines(back, reply)


async def _import(
    raw: bytes, surroundings: Surroundings, profile_folder: Path | None, *, reply: bool
) -> tuple[tuple[Step, ...], Exported | None]:
    async with session(surroundings, profile_folder) as officer:
        client = ParcelsClient(officer.desk)
        steps = tuple([step async for step in client.take(raw)])
        return steps, await client.reply(raw) if reply else None

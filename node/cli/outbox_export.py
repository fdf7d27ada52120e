"""`gsp outbox export`: what waits for a Party, in a file that a person carries where there is no network."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from federation.identity import PartyId
from node.cli.exit_codes import ExitCode
from node.cli.options import PartyParameter, desk_options
from node.cli.output import show
from node.cli.parcel_words import check_new, exported_document, exported_lines, write_new
from node.cli.session import Surroundings, pass_surroundings, session
from node.rpc.parcels import ParcelsClient
from node.use_cases.carrying_values import Exported


@click.command
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--to", "party", required=True, type=PartyParameter(), help="The Party to which the file is carried.")
@desk_options
@pass_surroundings
def export(surroundings: Surroundings, *, file: Path, party: PartyId, profile_folder: Path | None, as_json: bool) -> int:
    """Write what waits for a Party into a new file, to be carried there and imported with `gsp inbox import`.

    In it: sealed messages, receipts, this node's newest key, directory entries. Nothing leaves the outbox by it: messages wait there
    until their receipts are here, by whatever way. Needs the right to administer.
    """
    check_new(file)
    exported = asyncio.run(_export(party, surroundings, profile_folder))
    write_new(file, exported.file)
    show(exported_document(file, exported), exported_lines(file, exported), as_json=as_json)
    return ExitCode.WARNING if exported.without_key else ExitCode.FINE


async def _export(party: PartyId, surroundings: Surroundings, profile_folder: Path | None) -> Exported:
    async with session(surroundings, profile_folder) as officer:
        return await ParcelsClient(officer.desk).export(party)

"""`gsp party update`: bring what the directory says of a Party to what its administrator wrote."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from federation.errors import InvalidInput
from federation.identity import PartyId
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, PartyParameter, json_option
from node.cli.output import show
from node.cli.serving import home_options, passphrase, world
from node.formats.particulars import member_particulars, own_particulars
from node.ground import read_settings
from node.joining import read_sets
from node.keystore import Keystore
from node.mandates import bring_up_to_date


@click.command
@click.argument("file", type=FILE, required=False)
@click.option("--for", "member", type=PartyParameter(), help="As a region: the member that FILE is about.")
@home_options
@json_option
def update(
    *,
    file: Path | None,
    member: PartyId | None,
    home: Path,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> int:
    """Write name, authorities, contacts, administrators, pattern set and profile into the directory.

    A running node does this for its own Party when it starts. Without --for this does the same for a Party that runs no node;
    with --for a region writes what FILE says of a member that gave it a mandate to administer.
    """
    if (file is None) != (member is None):
        raise InvalidInput("FILE and --for go together", hint="without both, what node.toml says goes into the directory")
    keystore = Keystore.open(home / "keystore", passphrase(passphrase_file, passphrase_fd))
    settings = read_settings(home)
    if file is not None and member is not None:
        party, says = member, member_particulars(file, member)
    else:
        party, says = settings.party_id, own_particulars(home, settings, read_sets(home, settings))
    written = asyncio.run(bring_up_to_date(home, settings, keystore, party=party, says=says, world=world()))
    if written is None:
        lines = [f"the directory says this of {party} already"]
    else:
        lines = [f"what the directory says of {party} is up to date, signed by {settings.party}"]
    document = {"party": party, "signed_by": settings.party, "changed": written is not None}
    show(document, lines, as_json=as_json)
    return ExitCode.FINE

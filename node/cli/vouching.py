"""`gsp party status`, `confirm`, `withdraw` and `sign`: how far this Party is, and what it says by its own key."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from federation.errors import InvalidInput
from federation.identity import PartyId
from node.ceremony import party_signer, sign_file
from node.cli.entry_words import entry_document, entry_lines
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, PartyParameter, json_option
from node.cli.output import show
from node.cli.serving import home_option, home_options, passphrase, world
from node.cli.standing import standing_document, standing_lines
from node.config import read_node_settings
from node.formats.ceremony import read_entry
from node.keystore import Custody, Keystore
from node.vouching import Check, confirm, own_standing, withdraw


@click.command("status")
@home_option
@json_option
def status_command(*, home: Path, as_json: bool) -> int:
    """Say how far this Party is and what it waits for, the node and the Secretariat running or not."""
    own = asyncio.run(own_standing(home, world=world()))
    lines = standing_lines(own.standing, since=own.since)
    if own.has_settings and not own.standing.waits_for:
        lines[-1] = f"  next         nothing; its node runs with `gsp party run --home {home}`"
    show(
        {**standing_document(own.standing, since=own.since), "joined": own.has_settings},
        lines,
        as_json=as_json,
    )
    return ExitCode.FINE


@click.command("confirm")
@click.argument("parties", nargs=-1, required=True, type=PartyParameter())
@home_options
@click.option(
    "--fingerprint", "claimed", required=True, multiple=True, help="As a person of that Party read it aloud; once for each Party."
)
@json_option
def confirm_command(
    *,
    parties: tuple[PartyId, ...],
    home: Path,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
    claimed: tuple[str, ...],
    as_json: bool,
) -> int:
    """Vouch for another Party, after a person of it has read its fingerprint to you. The node may go on running."""
    if len(parties) != len(claimed):
        raise InvalidInput("each Party needs its fingerprint, in the same order", hint="give --fingerprint once for each Party")
    keystore = Keystore.open(home / "keystore", passphrase(passphrase_file, passphrase_fd))
    checks = [Check(subject=subject, claimed=digits) for subject, digits in zip(parties, claimed, strict=True)]
    stand = asyncio.run(confirm(home, keystore, checks, world=world()))
    lines = [
        f"{one.party} is confirmed by {', '.join(one.confirmed_by)}: {len(one.confirmed_by)} of {one.confirmations}"
        for one in stand
    ]
    document = {
        "confirmed": [
            {"party": one.party, "confirmed_by": list(one.confirmed_by), "confirmations": one.confirmations} for one in stand
        ]
    }
    show(document, lines, as_json=as_json)
    return ExitCode.FINE


@click.command("withdraw")
@home_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def withdraw_command(*, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, yes: bool, as_json: bool) -> int:
    """Leave the federation: from this entry on nobody exchanges anything with this Party. To come back it is admitted anew."""
    keystore = Keystore.open(home / "keystore", passphrase(passphrase_file, passphrase_fd))
    if not yes:
        click.confirm("Leave the federation for good?", abort=True, err=True)
    left = asyncio.run(withdraw(home, keystore, world=world()))
    show({"party": left, "status": "withdrawn"}, [f"{left} has left the federation; stop its node."], as_json=as_json)
    return ExitCode.FINE


@click.command("sign")
@click.argument("file", type=FILE)
@home_options
@click.option("--fingerprint", "claimed", required=True, help="The digits as read aloud: twelve groups of five.")
@json_option
def sign_command(
    *, file: Path, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, claimed: str, as_json: bool
) -> int:
    """Sign what the Secretariat laid out for Parties: that a veto is set aside, or the own recovery with the new key."""
    entry = read_entry(file)
    keystore = Keystore.open(home / "keystore", passphrase(passphrase_file, passphrase_fd))
    settings = read_node_settings(home / "node.toml")
    with Custody.open(keystore, owner=settings.party, token=settings.pkcs11) as custody:
        path = sign_file(file, claimed, party_signer(custody.signers("party"), entry), as_party=True)
    lines = [*entry_lines(entry), "", f"Signed: {path}", "Give it to the Secretariat; it is not secret."]
    show({**entry_document(entry), "signature": str(path)}, lines, as_json=as_json)
    return ExitCode.FINE

"""`gsp party mandate`: a region answers or administers for a member, until it ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from federation import limits
from federation.errors import InvalidConfiguration
from federation.identity import PartyId
from federation.text import check_plain
from federation.trust.entries import MandateScope
from node.cli.directory_entries import SCOPES
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, PartyParameter, Sentence, Word, json_option
from node.cli.output import clock, show
from node.cli.serving import home_options, passphrase, world
from node.ground import read_settings
from node.keystore import Keystore
from node.mandates import accept, end, offer


@click.group
def mandate() -> None:
    """Let a region answer or administer for a Party: the region offers, the member accepts, either ends it."""


@mandate.command("offer")
@click.argument("member", type=PartyParameter())
@home_options
@click.option(
    "--scope",
    type=Word(MandateScope),
    default=MandateScope.ANSWER.value,
    show_default=True,
    help="What the region does for the member: answer queries, write its entries in the directory, or both.",
)
@click.option("--days", type=click.IntRange(1, 3_650), default=365, show_default=True, help="How long it holds.")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to give to the member."
)
@json_option
def offer_command(
    *,
    member: PartyId,
    home: Path,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
    scope: MandateScope,
    days: int,
    output: Path,
    as_json: bool,
) -> int:
    """As the region: sign the offer to answer or administer for a member."""
    keystore = Keystore.open(home / "keystore", passphrase(passphrase_file, passphrase_fd))
    settings = read_settings(home)
    leaf = asyncio.run(offer(home, settings, keystore, member, days=days, scope=scope, world=world()))
    try:
        output.write_bytes(leaf)
    except OSError as error:
        raise InvalidConfiguration(f"{output} cannot be written: {error.strerror}") from error
    lines = [f"{output} is the offer; the member runs `gsp party mandate accept {output.name}`"]
    show({"region": settings.party, "member": member, "scope": scope, "file": str(output)}, lines, as_json=as_json)
    return ExitCode.FINE


@mandate.command("accept")
@click.argument("file", type=FILE)
@home_options
@json_option
def accept_command(*, file: Path, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, as_json: bool) -> int:
    """As the member: sign a region's offer and enter it into the directory."""
    keystore = Keystore.open(home / "keystore", passphrase(passphrase_file, passphrase_fd))
    settings = read_settings(home)
    given = asyncio.run(accept(home, settings, keystore, file.read_bytes(), world()))
    lines = [f"{given.region} {SCOPES[given.scope]} {given.member} from now on; it stands in the directory"]
    document = {"region": given.region, "member": given.member, "scope": given.scope, "not_after": given.not_after}
    show(document, lines, as_json=as_json)
    return ExitCode.FINE


@mandate.command("end")
@click.argument("other", type=PartyParameter())
@home_options
@click.option("--reason", required=True, type=Sentence(), help="Why it ends: for everybody to read, in the directory for ever.")
@json_option
def end_command(
    *, other: PartyId, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, reason: str, as_json: bool
) -> int:
    """As the region or as the member: end the mandate with the other one before its time."""
    check_plain(reason, "the reason", characters_max=limits.REASON_CHARACTERS_MAX)
    keystore = Keystore.open(home / "keystore", passphrase(passphrase_file, passphrase_fd))
    settings = read_settings(home)
    ended = asyncio.run(end(home, settings, keystore, other, reason=reason, world=world()))
    lines = [
        f"{ended.region} {SCOPES[ended.scope]} {ended.member} no more; without an end it had held until {clock(ended.not_after)}"
    ]
    show({"region": ended.region, "member": ended.member, "scope": ended.scope, "ended": True}, lines, as_json=as_json)
    return ExitCode.FINE

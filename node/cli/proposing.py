"""`gsp secretariat propose`: what founders are asked to sign, laid out with the right next number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from federation import limits
from federation.identity import PartyId, party_id
from federation.trust.entries import (
    Duty,
    EntryBody,
    Founders,
    Override,
    Recover,
    Reinstate,
    Suspend,
    TreatyPolicy,
)
from node import proposing
from node.cli.entry_words import entry_document, entry_lines
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, Duration, PartyParameter, Sentence, json_option
from node.cli.output import remark, show
from node.cli.serving import home_option, home_options, passphrase, world
from node.formats.ceremony import FounderFile, RecoveryFile, read_entry, read_file
from node.keystore import Keystore
from node.proposing import Proposed

_REASON = click.option("--reason", required=True, type=Sentence(), help="For everybody to read.")


@click.group
def propose() -> None:
    """Lay out an entry that founders sign: it goes into the folder `pending`, and into the directory when enough have signed."""


def _laid_out(home: Path, draw: Callable[[int], EntryBody], *, as_json: bool) -> int:
    return _show(proposing.propose(home, draw), as_json=as_json)


def _show(proposed: Proposed, *, as_json: bool) -> int:
    entry = read_entry(proposed.path)
    lines = [
        *entry_lines(entry),
        "",
        f"Founders sign {proposed.path} with `gsp founder sign`; {proposed.needed} have to.",
        "Hand over what they give back: `gsp secretariat log FILE`",
    ]
    show({**entry_document(entry), "file": str(proposed.path), "needed": proposed.needed}, lines, as_json=as_json)
    return ExitCode.FINE


@propose.command
@click.argument("party", type=PartyParameter())
@click.option("--on/--off", "on", required=True, help="On duty, or off it.")
@home_option
@json_option
def duty(*, party: PartyId, on: bool, home: Path, as_json: bool) -> int:
    """Put a Party's node on witness duty, or take it off."""
    return _laid_out(home, lambda serial: Duty(created=world().now(), serial=serial, party=party, on=on), as_json=as_json)


@propose.command
@click.argument("party", type=PartyParameter())
@_REASON
@home_option
@json_option
def suspend(*, party: PartyId, reason: str, home: Path, as_json: bool) -> int:
    """Suspend a Party: nobody exchanges anything with it."""
    return _laid_out(
        home, lambda serial: Suspend(created=world().now(), serial=serial, party=party, reason=reason), as_json=as_json
    )


@propose.command
@click.argument("party", type=PartyParameter())
@home_option
@json_option
def reinstate(*, party: PartyId, home: Path, as_json: bool) -> int:
    """End a suspension."""
    return _laid_out(home, lambda serial: Reinstate(created=world().now(), serial=serial, party=party), as_json=as_json)


@propose.command
@click.option("--witness-wait", "witness_wait_s", type=Duration(), help="Before a new witness counts; 7d, for example.")
@click.option("--recovery-wait", "recovery_wait_s", type=Duration(), help="Before a recovery takes effect.")
@click.option(
    "--confirmations", type=click.IntRange(0, limits.CONFIRMATIONS_MAX), help="How many other Parties confirm a newcomer."
)
@home_option
@json_option
def policy(
    *, witness_wait_s: int | None, recovery_wait_s: int | None, confirmations: int | None, home: Path, as_json: bool
) -> int:
    """Change the numbers of the treaty; what is not given stays. No waiting time can be shorter than at the founding."""
    known = proposing.last_known(home)
    return _laid_out(
        home,
        lambda serial: TreatyPolicy(
            created=world().now(),
            serial=serial,
            witness_wait_s=known.witness_wait_s if witness_wait_s is None else witness_wait_s,
            recovery_wait_s=known.recovery_wait_s if recovery_wait_s is None else recovery_wait_s,
            confirmations=known.confirmations if confirmations is None else confirmations,
        ),
        as_json=as_json,
    )


@propose.command
@click.option("--founder", "files", required=True, multiple=True, type=FILE, help="A founder's founder.json; all of them anew.")
@click.option("--threshold", required=True, type=click.IntRange(1, limits.FOUNDERS_MAX), help="How many of them sign together.")
@home_option
@json_option
def founders(*, files: tuple[Path, ...], threshold: int, home: Path, as_json: bool) -> int:
    """Hand over to other founders: all new ones sign, and enough of the old ones."""
    keys = tuple(sorted(bytes.fromhex(read_file(path, FounderFile).public_key) for path in files))
    return _laid_out(
        home,
        lambda serial: Founders(created=world().now(), serial=serial, founders=keys, threshold=threshold),
        as_json=as_json,
    )


@propose.command
@click.argument("file", type=FILE)
@home_option
@json_option
def recover(*, file: Path, home: Path, as_json: bool) -> int:
    """Give a Party that lost its keys new ones: FILE is its own request. It takes effect after the waiting time."""
    asked = read_file(file, RecoveryFile)
    party = party_id(asked.party)
    return _laid_out(
        home,
        lambda serial: Recover(
            created=world().now(),
            serial=serial,
            party=party,
            party_key=bytes.fromhex(asked.party_key),
            next_key_hash=bytes.fromhex(asked.next_key_hash),
            party_ca=bytes.fromhex(asked.party_ca),
            reason=asked.reason,
        ),
        as_json=as_json,
    )


@propose.command
@click.argument("party", type=PartyParameter())
@click.argument("index", type=click.IntRange(min=1))
@home_option
@json_option
def override(*, party: PartyId, index: int, home: Path, as_json: bool) -> int:
    """Set a veto against a recovery aside: INDEX is the recovery's place in the log. Two thirds of the other Parties sign."""
    return _laid_out(home, lambda _: Override(created=world().now(), party=party, recover_index=index), as_json=as_json)


@propose.command("rotate-log")
@home_options
@json_option
def rotate_log(*, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, as_json: bool) -> int:
    """Make the next log key and propose it. The running node changes over by itself when the entry is logged."""
    keystore = Keystore.open(home / "keystore", passphrase(passphrase_file, passphrase_fd))
    with proposing.custody_of(home, keystore) as custody:
        return _show(proposing.propose_log_key(home, custody, world=world()), as_json=as_json)


@propose.command("rotate-issuer")
@click.argument("file", type=FILE, required=False)
@click.option("--own-ca", is_flag=True, help="Only a new CA for the Secretariat's own node, under the issuing CA that stands.")
@click.option("--retire", is_flag=True, help="The former CAs end with this entry, and the running node changes over.")
@home_options
@json_option
def rotate_issuer(
    *,
    file: Path | None,
    own_ca: bool,
    retire: bool,
    home: Path,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> int:
    """Propose another issuing CA (FILE: what the root signed) with another CA of the Secretariat's own."""
    keystore = Keystore.open(home / "keystore", passphrase(passphrase_file, passphrase_fd))
    with proposing.custody_of(home, keystore) as custody:
        proposed = proposing.propose_issuer(home, custody, signed=file, own_ca=own_ca, retire=retire, world=world())
    remark("when it is logged, the running node issues under the newest CA, and serves under the oldest that stands")
    return _show(proposed, as_json=as_json)


@click.command("request-issuer")
@home_options
@json_option
def request_issuer_command(*, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, as_json: bool) -> int:
    """Make the next issuing key, and the request that the treaty root signs; then `propose rotate-issuer`."""
    keystore = Keystore.open(home / "keystore", passphrase(passphrase_file, passphrase_fd))
    with proposing.custody_of(home, keystore) as custody:
        prepared = proposing.request_issuer(home, custody, world=world())
    lines = [
        f"Next, at the root: gsp root sign {prepared.request.name} --fingerprint '{prepared.digits}'",
        f"  with the file {prepared.request}",
    ]
    show({"request": str(prepared.request), "digits": prepared.digits}, lines, as_json=as_json)
    return ExitCode.FINE

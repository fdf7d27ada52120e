"""`gsp keys`: every key of this Party with what happens next, and the commands that change, revoke and veto."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import click

from node.cli.exit_codes import ExitCode
from node.cli.next_key import keep_next_key, read_next_key
from node.cli.options import FILE, Sentence, desk_options, json_option
from node.cli.output import Document, clock, columns, rfc3339, show
from node.cli.profile import Profile
from node.cli.serving import home_options, passphrase, world
from node.cli.session import Surroundings, named_profile, pass_surroundings
from node.cli.tokens import pin_option, token_pin
from node.errand import Errand, errand
from node.ground import read_settings
from node.keystore import PIN, Keystore
from node.rotation import Changed, revoke_ca, revoke_party, revoke_signing, rotate_ca, rotate_party, rotate_signing, veto
from node.use_cases.desk_values import Health, KeyLine
from node.use_cases.key_report import KeyReport, worst

_ENDINGS: Final = {Health.GOOD: ExitCode.FINE, Health.WARNING: ExitCode.WARNING, Health.BAD: ExitCode.BAD}
_SIGNS: Final = {Health.GOOD: "ok", Health.WARNING: "WARNING", Health.BAD: "BAD"}
_reason_option = click.option(
    "--reason", type=Sentence(), default="", help="Why, for every other Party to read; no person's name, and nothing secret."
)
_next_key_option = click.option(
    "--next-key", "next_key", required=True, type=FILE, help="A file with the next Party key, from its paper or stick."
)


@click.group
def keys() -> None:
    """Show every key of this Party and what happens next; change, revoke, veto."""


@keys.command("show")
@desk_options
@click.option(
    "--home", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="A node's folder: look without the node."
)
@click.option(
    "--passphrase-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --home: a file with the keystore's passphrase. Without it the passphrase is asked for.",
)
@click.option("--passphrase-fd", metavar="N", type=click.IntRange(min=0), help="With --home: a descriptor with the passphrase.")
@pass_surroundings
def show_command(
    surroundings: Surroundings,
    *,
    profile_folder: Path | None,
    home: Path | None,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> int:
    """List every key: what it is for, where it lies, its age, its end, and what happens next. Ends with 0, 1 or 2."""
    if home is not None:
        lines = asyncio.run(_read_offline(home, passphrase(passphrase_file, passphrase_fd)))
    else:
        lines = asyncio.run(_ask_node(named_profile(profile_folder), surroundings))
    document = {"keys": [_line_document(line) for line in lines]}
    show(document, _table(lines, surroundings.clock.now()), as_json=as_json)
    return _ENDINGS[worst(line.health for line in lines)]


async def _ask_node(profile: Profile, surroundings: Surroundings) -> Sequence[KeyLine]:
    async with surroundings.connect(profile, surroundings.clock) as desk:
        return (await desk.status()).keys


async def _read_offline(home: Path, secret: bytes) -> Sequence[KeyLine]:
    """What the folder shows; prekeys and officers are in the node's own stores and are told by the node alone."""
    here = world()

    async def none() -> tuple[()]:
        return ()

    async with errand(home, read_settings(home), Keystore.open(home / "keystore", secret), here) as party:
        report = KeyReport(
            party=party.settings.party_id,
            roster=lambda: party.registry.roster,
            own_keys=party.own_keys,
            decryption_keys=none,
            officers=none,
            tls=lambda: None,
            now=here.clock.now,
        )
        return await report.lines()


def _line_document(line: KeyLine) -> Document:
    return {
        "name": line.name,
        "id": line.id or None,
        "place": line.place,
        "since": rfc3339(line.since) if line.since else None,
        "ends": rfc3339(line.ends) if line.ends else None,
        "health": line.health,
        "words": line.words,
    }


def _table(lines: Sequence[KeyLine], now: float) -> Sequence[str]:
    rows = [("", "key", "id", "place", "age", "ends", "what happens next")]
    for line in lines:
        age = f"{max(0, int(now - line.since)) // 86_400} d" if line.since else ""
        ends = clock(line.ends) if line.ends else ""
        rows.append((_SIGNS[line.health], line.name, line.id, line.place, age, ends, line.words))
    return columns(rows)


@keys.group
def rotate() -> None:
    """Put another key in the place of one. Do it again after an interruption: it goes on from where it was."""


@rotate.command("ca")
@home_options
@json_option
def rotate_ca_command(*, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, as_json: bool) -> int:
    """Make the next Party CA and announce it. It issues after a week, or at once when no other one is left."""
    changed = _carry_out(home, passphrase(passphrase_file, passphrase_fd), rotate_ca)
    words = f"{changed.key} {changed.id} stands in the directory; the node issues with it from {clock(changed.counts_from)} on"
    return _tell(changed, words, as_json=as_json)


@rotate.command("signing")
@home_options
@json_option
def rotate_signing_command(*, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, as_json: bool) -> int:
    """Give the node another signing key and announce it; the running node takes it up by itself."""
    changed = _carry_out(home, passphrase(passphrase_file, passphrase_fd), rotate_signing)
    words = f"{changed.key} {changed.id} stands in the directory; the node signs with it from {clock(changed.counts_from)} on"
    return _tell(changed, words, as_json=as_json)


@rotate.command("party")
@home_options
@_next_key_option
@json_option
def rotate_party_command(
    *, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, next_key: Path, as_json: bool
) -> int:
    """Put the next Party key in the place of the Party key. A new next key is written for paper, as when the Party joined."""
    secret, seed = passphrase(passphrase_file, passphrase_fd), read_next_key(next_key)
    own = read_settings(home).party_id
    change = partial(rotate_party, next_seed=seed, show_next_key=lambda following: keep_next_key(home, own, following))
    changed = _carry_out(home, secret, change)
    return _tell(changed, f"{changed.key} {changed.id} writes this Party's entries from now on", as_json=as_json)


@keys.group
def revoke() -> None:
    """Take a stolen key back, for ever. Other nodes honour it as soon as they read it."""


@revoke.command("ca")
@home_options
@_reason_option
@click.option("--key", "key_id", help="The id of the CA, as gsp keys show lists it. Without it: the one that issues now.")
@json_option
def revoke_ca_command(
    *, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, reason: str, key_id: str | None, as_json: bool
) -> int:
    """Take a Party CA back, after its successor stands. Every officer's certificate that it signed ends with it."""
    secret = passphrase(passphrase_file, passphrase_fd)
    changed = _carry_out(home, secret, partial(revoke_ca, reason=reason, key_id=key_id))
    return _tell(changed, f"{changed.key} {changed.id} is revoked; give its officers new certificates", as_json=as_json)


@revoke.command("signing")
@home_options
@_reason_option
@json_option
def revoke_signing_command(
    *, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, reason: str, as_json: bool
) -> int:
    """Give the node another signing key and take the present one back."""
    changed = _carry_out(home, passphrase(passphrase_file, passphrase_fd), partial(revoke_signing, reason=reason))
    return _tell(changed, f"{changed.key} {changed.id} is revoked; what waits is sealed and signed anew", as_json=as_json)


@revoke.command("party")
@home_options
@_reason_option
@json_option
def revoke_party_command(
    *, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, reason: str, as_json: bool
) -> int:
    """Take the Party key back. Only the next Party key can follow: have its paper at hand."""
    changed = _carry_out(home, passphrase(passphrase_file, passphrase_fd), partial(revoke_party, reason=reason))
    words = f"{changed.key} {changed.id} is revoked; now run `gsp keys rotate party --next-key FILE`"
    return _tell(changed, words, as_json=as_json)


@keys.command("veto")
@home_options
@_next_key_option
@json_option
def veto_command(*, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, next_key: Path, as_json: bool) -> int:
    """Stop a recovery of this Party's keys that nobody here asked for, with the next Party key."""
    secret, seed = passphrase(passphrase_file, passphrase_fd), read_next_key(next_key)
    changed = _carry_out(home, secret, partial(veto, next_seed=seed))
    return _tell(changed, f"the recovery in entry {changed.id} is vetoed; tell the Secretariat by telephone", as_json=as_json)


@keys.command("pin")
@home_options
@pin_option
@json_option
def pin_command(
    *, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, pkcs11_pin_file: Path | None, as_json: bool
) -> int:
    """Put the PIN of the token that the settings name into the keystore. The token's own PIN is changed with its vendor's tool."""
    keystore = Keystore.open(home / "keystore", passphrase(passphrase_file, passphrase_fd))
    keystore.put(PIN, token_pin(pkcs11_pin_file), replace=True)
    show({"home": str(home)}, ["the PIN lies in the keystore; start the node again"], as_json=as_json)
    return ExitCode.FINE


def _carry_out(home: Path, secret: bytes, change: Callable[[Errand], Awaitable[Changed]]) -> Changed:
    """One change, beside a node that may be running."""

    async def carry_out() -> Changed:
        async with errand(home, read_settings(home), Keystore.open(home / "keystore", secret), world()) as party:
            return await change(party)

    return asyncio.run(carry_out())


def _tell(changed: Changed, words: str, *, as_json: bool) -> int:
    document = {
        "key": changed.key,
        "id": changed.id,
        "counts_from": rfc3339(changed.counts_from),
        "repeated": changed.repeated,
    }
    show(document, ["nothing had to be done:", words] if changed.repeated else [words], as_json=as_json)
    return ExitCode.FINE

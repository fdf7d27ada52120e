"""`gsp party recover`: new keys for a Party that lost its own and the next one; begun here, signed by founders, finished here."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import msgspec

from federation.trust.entries import Authority
from node.cli.directory_source import read_evidence
from node.cli.exit_codes import ExitCode
from node.cli.first_officer import write_first_profile
from node.cli.next_key import keep_next_key
from node.cli.officers.rights import AuthorityParameter
from node.cli.options import FILE, json_option
from node.cli.output import remark, show
from node.cli.serving import cost_option, home_options, passphrase, world
from node.cli.tokens import ChosenToken, token_options
from node.config import read_node_settings
from node.joining import Joined
from node.keystore import Cost, Keystore
from node.officers import register_first
from node.recovering import Recovering, begin, finish
from node.use_cases.verified_log import verify_copy


@click.group
def recover() -> None:
    """Give a Party that lost its keys new ones. Founders sign them, and they count after the waiting time."""


@recover.command("begin")
@home_options
@click.option("--settings", "settings_file", required=True, type=FILE, help="The node.toml of the lost folder, or one like it.")
@click.option("--reason", required=True, help="Why, for everybody to read in the directory.")
@token_options
@cost_option
@json_option
def begin_command(
    *,
    home: Path,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
    settings_file: Path,
    reason: str,
    token: ChosenToken | None,
    keystore_cost: str,
    as_json: bool,
) -> int:
    """Make new keys in a new folder, and the request that goes to the Secretariat. The same again gives the same request."""
    settings = msgspec.structs.replace(read_node_settings(settings_file), pkcs11=token.settings if token is not None else None)
    wanted = Recovering(
        home=home,
        settings=settings,
        passphrase=passphrase(passphrase_file, passphrase_fd, new=not (home / "keystore").exists()),
        cost=Cost[keystore_cost.upper()],
        pin=token.pin if token is not None else None,
        reason=reason,
        show_next_key=lambda seed: keep_next_key(home, settings.party_id, seed),
    )
    path = begin(wanted, world())
    lines = [
        f"Request: {path}",
        "Give it to the Secretariat, which proposes it: gsp secretariat propose recover FILE. It is not secret.",
        f"Then sign what is proposed with the new key: gsp party sign FILE --home {home} --fingerprint DIGITS",
        f"When it counts, take a copy of the directory from any node: gsp party recover finish COPY --home {home}",
    ]
    show({"party": settings.party, "request": str(path)}, lines, as_json=as_json)
    return ExitCode.FINE


@recover.command("finish")
@click.argument("directory", metavar="COPY", type=FILE)
@home_options
@click.option(
    "--authority",
    type=AuthorityParameter(),
    default="customs:Customs",
    show_default=True,
    help="The competent authority of the first officer, who gets all rights.",
)
@click.option(
    "--wait", "wait_s", type=click.FloatRange(0), default=600.0, show_default=True, help="Seconds to wait for witnesses."
)
@json_option
def finish_command(
    *,
    directory: Path,
    home: Path,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
    authority: Authority,
    wait_s: float,
    as_json: bool,
) -> int:
    """Go on with the new keys. COPY is a file of `gsp directory export`, of any node, made after they began to count."""
    secret = passphrase(passphrase_file, passphrase_fd)
    settings = read_node_settings(home / "node.toml")
    view = verify_copy(read_evidence(directory, None), genesis_digest=bytes.fromhex(settings.genesis))
    joined = asyncio.run(finish(home, secret, view, wait_s=wait_s, tell=remark, world=world()))
    return _show(home, joined, _enter(home, secret, joined, authority), as_json=as_json)


def _enter(home: Path, secret: bytes, joined: Joined, authority: Authority) -> Path:
    """The first officer's rights and profile."""
    keystore = Keystore.open(home / "keystore", secret)
    asyncio.run(register_first(home, keystore, joined, authority=authority, world=world()))
    return write_first_profile(home, joined)


def _show(home: Path, joined: Joined, profile: Path, *, as_json: bool) -> int:
    lines = [
        f"{joined.party} has its new keys.",
        f"Run its node:          gsp party run --home {home}",
        f"Ask as first officer:  gsp resolve CODE --officer {profile}",
        "Other Parties confirmed the lost keys: ask them by telephone to confirm these.",
    ]
    show({"party": joined.party, "node": joined.node.dns, "desk": joined.desk, "officer": str(profile)}, lines, as_json=as_json)
    return ExitCode.FINE

"""`gsp secretariat`: found a directory, run its node, invite Parties; what founders have to sign is in modules of its own."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import click

from federation.identity import PartyId
from federation.trust.fingerprint import digits_of
from node import secretariat as composition
from node.cli.admitting import admit_command, log_command
from node.cli.exit_codes import ExitCode
from node.cli.founding import found_command, genesis_command, prepare_command, sheet_command
from node.cli.options import PartyParameter, json_option
from node.cli.output import columns, show
from node.cli.proposing import propose, request_issuer_command
from node.cli.serving import (
    cost_option,
    free_address,
    home_option,
    home_options,
    passphrase,
    ready_line,
    run_until_stopped,
    world,
)
from node.cli.standing import status_command
from node.config import SecretariatSettings
from node.discovery import announcing
from node.keystore import Cost


@click.group
def secretariat() -> None:
    """Found a directory, run its node, invite and admit Parties."""


@secretariat.command
@home_options
@click.option("--domain", required=True, help="The treaty's DNS domain; all certificates are named under it.")
@click.option("--founders", type=click.IntRange(1, 16), default=3, show_default=True, help="People of the treaty body.")
@click.option("--threshold", type=click.IntRange(1, 16), default=2, show_default=True, help="How many of them sign together.")
@click.option("--listen", default="127.0.0.1:0", show_default=True, help="Where Parties' nodes connect; port 0 takes a free one.")
@click.option("--join", "join_listen", default="127.0.0.1:0", show_default=True, help="Where joining Parties connect.")
@click.option("--public", help="host:port under which other machines reach --listen.")
@click.option("--public-join", help="host:port under which other machines reach --join.")
@cost_option
@json_option
def init(
    *,
    home: Path,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
    domain: str,
    founders: int,
    threshold: int,
    listen: str,
    join_listen: str,
    public: str | None,
    public_join: str | None,
    keystore_cost: str,
    as_json: bool,
) -> int:
    """Found a treaty for trying out: this one process makes every key, those of the root and of the founders too.

    A real treaty is founded in a ceremony, each key on a machine of its own: see `prepare`, `genesis` and `found`.
    """
    secret = passphrase(passphrase_file, passphrase_fd, new=True)
    settings = SecretariatSettings(
        domain=domain,
        genesis="0" * 64,
        listen=free_address(listen),
        join=free_address(join_listen),
        public=public,
        public_join=public_join,
    )
    made = asyncio.run(
        composition.initialise(
            home,
            settings=settings,
            passphrase=secret,
            founders=founders,
            threshold=threshold,
            world=world(),
            cost=Cost[keystore_cost.upper()],
        )
    )
    document = {"genesis": made.genesis, "log_key": made.log_key, "take_away": str(made.take_away), "home": str(home)}
    lines = [
        *columns([("genesis digest", made.genesis), ("log key", made.log_key)]),
        "Publish both: every Party and every court compares with them.",
        f"Move the keys in {made.take_away} off this machine now: the root's into a safe, each founder's to its founder.",
        f"Next: gsp secretariat run --home {home}",
    ]
    show(document, lines, as_json=as_json)
    return ExitCode.FINE


@secretariat.command
@home_options
@click.option("--announce", is_flag=True, help="Say on the local network where the join port is; a hint for Parties nearby.")
@json_option
def run(*, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, announce: bool, as_json: bool) -> int:
    """Run the Secretariat's node until it is stopped. One line says when it is ready; the log goes to standard error."""
    secret = passphrase(passphrase_file, passphrase_fd)
    settings = composition.read_settings(home)
    words = f"ready: nodes at {settings.listen}, joining at {settings.join}"
    document = {"ready": True, "listen": settings.listen, "join": settings.join}
    node = _running(home, secret, announce=announce)
    run_until_stopped(node, ready=ready_line(words, document, as_json=as_json), level=settings.log_level)
    return ExitCode.FINE


@asynccontextmanager
async def _running(home: Path, secret: bytes, *, announce: bool) -> AsyncIterator[None]:
    async with (
        composition.running(home, secret) as settings,
        announcing(settings.domain, settings.join_endpoint) if announce else nullcontext(),
    ):
        yield


@secretariat.command
@click.argument("party", type=PartyParameter())
@home_option
@click.option(
    "--anew", is_flag=True, help="Give up what was begun with an earlier code: its machine is gone, or somebody else used it."
)
@json_option
def invite(*, party: PartyId, home: Path, anew: bool, as_json: bool) -> int:
    """Make a one-time join code for a Party."""
    code = composition.invite(home, party, entropy=secrets.token_bytes, now=world().now(), anew=anew)
    genesis = composition.read_settings(home).genesis
    digits = digits_of(bytes.fromhex(genesis))
    lines = [
        f"Give this to {party} by a way that you trust; it is good once, for a week:",
        "",
        f"  gsp party join {code} --genesis {genesis}",
        "",
        "The genesis digest in digits, which stands on the printed sheet too:",
        f"  {digits}",
        "The fingerprint of its keys comes back from the Party; compare it by telephone. Then founders sign and you hand it over:",
        f"  gsp founder sign {party}.admit --fingerprint '…'    each founder, on the file in {home / 'pending'}",
        f"  gsp secretariat admit {party} --home {home} --signature FILE",
    ]
    show({"party": party, "code": code, "genesis": genesis, "digits": digits}, lines, as_json=as_json)
    return ExitCode.FINE


for command in (
    prepare_command,
    genesis_command,
    found_command,
    sheet_command,
    admit_command,
    log_command,
    status_command,
    propose,
    request_issuer_command,
):
    secretariat.add_command(command)

"""`gsp secretariat`: found a directory, run its node, invite Parties, and let the founders admit them."""

from __future__ import annotations

import asyncio
import secrets
import time
from pathlib import Path
from typing import Any

import click

from federation.boundary.directory import sign_body
from federation.errors import FederationError, InvalidInput, NotFound, Unauthentic
from federation.identity import PartyId, party_id
from federation.trust.entries import Admit, EntryKind
from federation.trust.fingerprint import fingerprint, same_fingerprint
from federation.trust.keys import SEED_BYTES, SoftwareSigner
from federation.wire.directory import decode_entry_body
from node import secretariat as root
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, json_option
from node.cli.output import columns, show
from node.cli.serving import free_address, home_options, passphrase, ready_line, run_until_stopped, world
from node.config import SecretariatSettings
from node.keystore import Cost
from node.store.tray import Approval, Tray


class PartyParameter(click.ParamType[PartyId]):
    """A Party's two letters."""

    name = "party"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> PartyId:
        try:
            return party_id(value)
        except FederationError as error:
            self.fail(f"{error.message}, {error.hint}", param, ctx)


cost_option = click.option(
    "--keystore-cost",
    type=click.Choice([cost.name.lower() for cost in Cost]),
    default=Cost.MODERATE.name.lower(),
    show_default=True,
    help="What one guess of the passphrase costs; minimal is for demonstrations.",
)


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
    """Make the treaty's keys, certificates and first directory entry in an empty folder."""
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
        root.initialise(
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
@json_option
def run(*, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, as_json: bool) -> int:
    """Run the Secretariat's node until it is stopped. One line says when it is ready; the log goes to standard error."""
    secret = passphrase(passphrase_file, passphrase_fd)
    settings = root.read_settings(home)
    words = f"ready: nodes at {settings.listen}, joining at {settings.join}"
    document = {"ready": True, "listen": settings.listen, "join": settings.join}
    run_until_stopped(root.running(home, secret), ready=ready_line(words, document, as_json=as_json), level=settings.log_level)
    return ExitCode.FINE


@secretariat.command
@click.argument("party", type=PartyParameter())
@click.option("--home", required=True, envvar="GSP_HOME", type=click.Path(file_okay=False, path_type=Path))
@json_option
def invite(*, party: PartyId, home: Path, as_json: bool) -> int:
    """Make a one-time join code for a Party."""
    code = root.invite(home, party, entropy=secrets.token_bytes, now=world().now())
    genesis = root.read_settings(home).genesis
    lines = [
        f"Give this to {party} by a way that you trust; it is good once, for a week:",
        "",
        f"  gsp party join {code} --genesis {genesis}",
        "",
        "Its fingerprint comes back from the Party; compare it by telephone, then the founders admit it:",
        f"  gsp secretariat admit {party} --home {home} --fingerprint '…' --founder-key FILE",
    ]
    show({"party": party, "code": code, "genesis": genesis}, lines, as_json=as_json)
    return ExitCode.FINE


@secretariat.command
@click.argument("party", type=PartyParameter())
@click.option("--home", required=True, envvar="GSP_HOME", type=click.Path(file_okay=False, path_type=Path))
@click.option("--fingerprint", "claimed", required=True, help="As read aloud by the Party: twelve groups of five digits.")
@click.option("--founder-key", "keys", multiple=True, required=True, type=FILE, help="A founder's key file; once for each.")
@click.option(
    "--wait", "wait_s", type=click.FloatRange(0, 600), default=10.0, show_default=True, help="Seconds to wait for the node."
)
@json_option
def admit(*, party: PartyId, home: Path, claimed: str, keys: tuple[Path, ...], wait_s: float, as_json: bool) -> int:
    """Sign a Party's admission with founders' keys, after comparing its fingerprint."""
    body = _pending_body(home / "pending" / f"{party}.admit", wait_s)
    seen = _fingerprint(body, party)
    if not same_fingerprint(seen, claimed):
        raise Unauthentic(
            f"the fingerprint of the entry that waits here is {seen}",
            hint="it is not the one that was read aloud: do not sign, and ask the Party again by telephone",
        )
    tray = Tray(home / "tray")
    for path in keys:
        signature = sign_body(EntryKind.ADMIT, body, SoftwareSigner(_seed(path)))
        tray.put(Approval(party=party, signature=signature))
    lines = [f"{len(keys)} founders' signatures for {party} lie ready; the running node takes them up."]
    show({"party": party, "fingerprint": seen, "signatures": len(keys)}, lines, as_json=as_json)
    return ExitCode.FINE


def _pending_body(path: Path, wait_s: float) -> bytes:
    """The entry that waits for founders; the node lays it out as soon as the Party has enrolled."""
    ends = time.monotonic() + wait_s
    while not path.exists() and time.monotonic() < ends:
        time.sleep(0.1)
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFound(
            "no admission of that Party waits here", hint="the Party joins first, and the Secretariat's node has to run"
        ) from error


def _fingerprint(body: bytes, party: PartyId) -> str:
    """Of the very bytes that are signed, so that no key in them can be another one than the Party's."""
    admit_entry = decode_entry_body(EntryKind.ADMIT, body)
    if not isinstance(admit_entry, Admit) or admit_entry.party != party:
        raise InvalidInput("the file that waits holds no admission of that Party")
    return fingerprint(body)


def _seed(path: Path) -> bytes:
    try:
        seed = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path} holds no founder's key") from error
    if len(seed) != SEED_BYTES:
        raise InvalidInput(f"{path} holds no founder's key")
    return seed

"""`gsp party`: join the federation, run a Party's node, load its data. Mandates are in `mandate`, the own entry in `update`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from federation.errors import NotFound
from federation.trust.entries import Authority
from federation.trust.join_code import JoinCode, decode_join_code
from node import party as root
from node.cli.exit_codes import ExitCode
from node.cli.first_officer import write_first_profile
from node.cli.mandate import mandate
from node.cli.nearby import nearby_command
from node.cli.next_key import keep_next_key
from node.cli.officers.rights import AuthorityParameter
from node.cli.options import FILE, Hexadecimal, json_option
from node.cli.output import remark, show
from node.cli.recover import recover
from node.cli.serving import cost_option, free_address, home_options, passphrase, ready_line, run_until_stopped, world
from node.cli.tokens import ChosenToken, token_options
from node.cli.update import update
from node.cli.vouching import confirm_command, sign_command, status_command, withdraw_command
from node.config import NodeSettings
from node.formats.trace_files import read_filings
from node.ground import read_settings
from node.joining import Joined, Joining
from node.joining import join as join_federation
from node.keystore import Cost, Keystore
from node.officers import register_first
from node.store.trace import SqliteTrace
from node.use_cases.load_trace import Loaded, load_trace

HOME = click.Path(file_okay=False, path_type=Path)


@click.group
def party() -> None:
    """Join the federation, run a Party's node, load its data."""


@party.command
@click.argument("code")
@home_options
@click.option(
    "--genesis", required=True, type=Hexadecimal(), help="Digest of the directory's first entry, got from the Secretariat."
)
@click.option("--at", metavar="HOST:PORT", help="Where the join port is now, when it is not where the code says.")
@click.option("--name", required=True, help="The Party in words, as others will see it.")
@click.option("--listen", default="127.0.0.1:0", show_default=True, help="Where other nodes connect; port 0 takes a free one.")
@click.option("--public", help="host:port under which other machines reach --listen.")
@click.option("--desk", default="127.0.0.1:0", show_default=True, help="Where the own officers connect.")
@click.option("--node-id", default="n1", show_default=True, help="Short name of this node.")
@click.option("--region", is_flag=True, help="This is a regional organisation that answers for others.")
@click.option("--no-node", is_flag=True, help="This Party runs no node: a region answers for it.")
@click.option("--patterns", multiple=True, type=FILE, help="A file with a pattern set; once for each.")
@click.option("--policy", type=FILE, help="A file with the answering policy; without it everything is answered by hand.")
@click.option(
    "--authority",
    type=AuthorityParameter(),
    default="customs:Customs",
    show_default=True,
    help="The competent authority of the first officer, who gets all rights.",
)
@click.option(
    "--wait", "wait_s", type=click.FloatRange(0), default=3_600.0, show_default=True, help="Seconds to wait for the founders."
)
@token_options
@cost_option
@json_option
def join(
    *,
    code: str,
    home: Path,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
    genesis: bytes,
    at: str | None,
    name: str,
    listen: str,
    public: str | None,
    desk: str,
    node_id: str,
    region: bool,
    no_node: bool,
    patterns: tuple[Path, ...],
    policy: Path | None,
    authority: Authority,
    wait_s: float,
    token: ChosenToken | None,
    keystore_cost: str,
    as_json: bool,
) -> int:
    """Join with a one-time code. Run the same command again after any interruption: it goes on from where it was."""
    joining_code = _code(code, at)
    joining = Joining(
        home=home,
        code=joining_code,
        genesis=genesis,
        settings=_provisional(
            joining_code,
            name=name,
            listen=free_address(listen),
            public=public,
            desk=free_address(desk),
            node_id=node_id,
            region=region,
            patterns=tuple(str(path.absolute()) for path in patterns),
            policy=str(policy.absolute()) if policy is not None else None,
            pkcs11=token.settings if token is not None else None,
        ),
        with_node=not no_node,
        passphrase=passphrase(passphrase_file, passphrase_fd, new=not (home / "keystore").exists()),
        cost=Cost[keystore_cost.upper()],
        pin=token.pin if token is not None else None,
        wait_s=wait_s,
        show_next_key=lambda seed: keep_next_key(home, joining_code.party, seed),
        tell=remark,
    )
    return _join(joining, authority, as_json=as_json)


def _join(joining: Joining, authority: Authority, *, as_json: bool) -> int:
    joined = asyncio.run(join_federation(joining, world()))
    if not (joining.home / "officers").exists():
        keystore = Keystore.open(joining.home / "keystore", joining.passphrase)
        asyncio.run(register_first(joining.home, keystore, joined, authority=authority, world=world()))
    profile = write_first_profile(joining.home, joined)
    return _show_joined(joining.home, joined, profile, as_json=as_json)


def _code(code: str, at: str | None) -> JoinCode:
    """The code, with another address: what answers there has to show the certificate that the code names."""
    decoded = decode_join_code(code)
    return decoded if at is None else replace(decoded, address=at)


def _provisional(code: JoinCode, **settings: Any) -> NodeSettings:
    """What is known before the Secretariat has said the rest."""
    return NodeSettings(party=code.party, domain="unknown.invalid", genesis="0" * 64, secretariat=code.address, **settings)


def _show_joined(home: Path, joined: Joined, profile: Path, *, as_json: bool) -> int:
    document = {
        "party": joined.party,
        "fingerprint": joined.fingerprint,
        "node": joined.node.dns,
        "desk": joined.desk,
        "officer": str(profile),
    }
    lines = [
        f"{joined.party} has joined.",
        f"Run its node:          gsp party run --home {home}",
        f"Ask as first officer:  gsp resolve CODE --officer {profile}",
    ]
    show(document, lines, as_json=as_json)
    return ExitCode.FINE


@party.command
@home_options
@json_option
def run(*, home: Path, passphrase_file: Path | None, passphrase_fd: int | None, as_json: bool) -> int:
    """Run this Party's node until it is stopped. One line says when it is ready; the log goes to standard error."""
    secret = passphrase(passphrase_file, passphrase_fd)
    settings = read_settings(home)
    words = f"ready: {settings.party} for nodes at {settings.listen}, for officers at {settings.desk}"
    document = {"ready": True, "party": settings.party, "listen": settings.listen, "desk": settings.desk}
    run_until_stopped(root.running(home, secret), ready=ready_line(words, document, as_json=as_json), level=settings.log_level)
    return ExitCode.FINE


@party.command
@click.argument("file", type=FILE)
@click.option("--home", required=True, envvar="GSP_HOME", type=HOME)
@json_option
def load(*, file: Path, home: Path, as_json: bool) -> int:
    """Load traceability data from a file of one JSON document a line. The node must not be running."""
    loaded = asyncio.run(_load(file, home))
    document = {"reports": loaded.reports, "new": loaded.new, "references": loaded.references}
    lines = [f"{loaded.reports} reports, {loaded.new} of them new, and {loaded.references} places, products and firms"]
    show(document, lines, as_json=as_json)
    return ExitCode.FINE


async def _load(file: Path, home: Path) -> Loaded:
    if not home.is_dir():
        raise NotFound(f"there is no folder {home}", hint="join first: `gsp party join CODE --home FOLDER`")
    async with SqliteTrace.open(home / "trace.sqlite") as store:
        with file.open("rb") as stream:
            return await load_trace(store, read_filings(stream))


for command in (mandate, update, nearby_command, status_command, confirm_command, withdraw_command, sign_command, recover):
    party.add_command(command)

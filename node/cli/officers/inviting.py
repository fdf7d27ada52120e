"""`gsp officers invite`: one code for one officer, by an administrator or by the operator of the node."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from federation.errors import InvalidInput
from federation.query.codes import Purpose
from federation.trust.code_text import check_address
from federation.trust.entries import Authority
from node.cli.officers.rights import DAYS, AuthorityParameter, grant_options, typed_grants
from node.cli.officers.showing import show_code, show_reply
from node.cli.options import Sentence, desk_options
from node.cli.serving import passphrase, world
from node.cli.session import Surroundings, administering, pass_surroundings
from node.ground import read_settings
from node.keystore import Keystore
from node.officers import invite_by_operator
from node.use_cases.administration_values import InvitationWanted


@click.command("invite")
@click.option("--name", type=Sentence(), help="The person's name; it stays in this Party's node.")
@click.option("--authority", type=AuthorityParameter(), help="The competent authority, as customs:Customs.")
@grant_options
@click.option("--days", type=DAYS, default=90, show_default=True, help="How long each certificate lives.")
@click.option("--again", metavar="ID", help="A new code for this officer, whose key was lost; the old certificates end now.")
@click.option("--desk", metavar="HOST:PORT", help="Where the officer reaches the desk, when it is not where you do.")
@click.option(
    "--home",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Without an administrator: on the node's own machine, with the passphrase of its keystore.",
)
@click.option(
    "--passphrase-file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="With --home: the passphrase."
)
@click.option("--passphrase-fd", metavar="N", type=click.IntRange(min=0), help="With --home: a file descriptor with it.")
@desk_options
@pass_surroundings
def invite_command(
    surroundings: Surroundings,
    *,
    name: str | None,
    authority: Authority | None,
    rights: tuple[str, ...],
    purposes: tuple[Purpose, ...],
    days: int,
    again: str | None,
    desk: str | None,
    home: Path | None,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
    profile_folder: Path | None,
    as_json: bool,
) -> int:
    """Invite an officer: prints a code that is good once, for a week. With --again the officer is one who lost the key.

    When no administrator is left, and for a node that was set up before there were officers' rights: --home DIR, on the node's own
    machine. That is recorded.
    """
    if desk is not None:
        check_address(desk)
    if again is not None:
        if home is not None or name is not None or rights:
            raise InvalidInput("--again takes no --home, --name or --right: the officer keeps what there is")
        return asyncio.run(_again(again, desk, surroundings, profile_folder, as_json=as_json))
    wanted = _wanted(name, authority, rights, purposes, days)
    if home is not None:
        secret = passphrase(passphrase_file, passphrase_fd)
        return _by_operator(home, secret, wanted, desk, as_json=as_json)
    return asyncio.run(_invite(wanted, desk, surroundings, profile_folder, as_json=as_json))


def _wanted(
    name: str | None, authority: Authority | None, rights: tuple[str, ...], purposes: tuple[Purpose, ...], days: int
) -> InvitationWanted:
    if name is None or authority is None:
        raise InvalidInput("a new officer needs --name and --authority", hint="see `gsp officers invite --help`")
    return InvitationWanted(
        name=name, authority=authority, life_s=days * 86_400, grants=typed_grants(rights, purposes, authority)
    )


async def _invite(
    wanted: InvitationWanted, desk: str | None, surroundings: Surroundings, folder: Path | None, *, as_json: bool
) -> int:
    async with administering(surroundings, folder) as (profile, administration):
        reply = await administration.invite(wanted)
    return show_reply(reply, profile, desk=desk, done="invited", as_json=as_json)


async def _again(officer_id: str, desk: str | None, surroundings: Surroundings, folder: Path | None, *, as_json: bool) -> int:
    async with administering(surroundings, folder) as (profile, administration):
        reply = await administration.reenrol(officer_id)
    return show_reply(reply, profile, desk=desk, done="invited again", as_json=as_json)


def _by_operator(home: Path, secret: bytes, wanted: InvitationWanted, desk: str | None, *, as_json: bool) -> int:
    settings = read_settings(home)
    keystore = Keystore.open(home / "keystore", secret)
    invitation = asyncio.run(invite_by_operator(home, settings, keystore, wanted, desk=desk or settings.desk, world=world()))
    return show_code(invitation.officer_id, invitation.code, expires=invitation.expires, as_json=as_json)

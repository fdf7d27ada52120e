"""`gsp officers grant`, `withdraw` and `approve`: what an officer may do from the next call on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from federation.errors import InvalidInput
from federation.query.codes import Purpose
from federation.trust.entries import Authority
from node.cli.exit_codes import ExitCode
from node.cli.officers.rights import AuthorityParameter, grant_options, typed_grants
from node.cli.officers.showing import show_reply
from node.cli.options import Word, desk_options
from node.cli.output import show
from node.cli.session import Surroundings, administering, pass_surroundings
from node.use_cases.rights import Right


@click.command("grant")
@click.argument("officer_id", metavar="ID")
@grant_options
@click.option("--authority", type=AuthorityParameter(), help="For which competent authority; without it the officer's own.")
@desk_options
@pass_surroundings
def grant_command(
    surroundings: Surroundings,
    *,
    officer_id: str,
    rights: tuple[str, ...],
    purposes: tuple[Purpose, ...],
    authority: Authority | None,
    profile_folder: Path | None,
    as_json: bool,
) -> int:
    """Grant rights to an officer. To yourself, and with four eyes for administer and approve, a second administrator has to agree."""

    async def change() -> int:
        async with administering(surroundings, profile_folder) as (profile, administration):
            held_for = authority or (await administration.officer(officer_id)).authority
            reply = await administration.grant(officer_id, typed_grants(rights, purposes, held_for))
        return show_reply(reply, profile, desk=None, done=f"granted; officer {officer_id} has it now", as_json=as_json)

    return asyncio.run(change())


@click.command("withdraw")
@click.argument("officer_id", metavar="ID")
@click.option("--right", type=Word(Right), help="Only this right; without it the officer is withdrawn, for ever.")
@click.option("--authority", type=AuthorityParameter(), help="With --right: only for this competent authority.")
@desk_options
@pass_surroundings
def withdraw_command(
    surroundings: Surroundings,
    *,
    officer_id: str,
    right: Right | None,
    authority: Authority | None,
    profile_folder: Path | None,
    as_json: bool,
) -> int:
    """Withdraw a right, or an officer. It holds from the officer's next call on, and needs no second administrator."""
    if right is None and authority is not None:
        raise InvalidInput("--authority goes with --right", hint="without both, the officer is withdrawn")

    async def change() -> int:
        async with administering(surroundings, profile_folder) as (_, administration):
            if right is None:
                await administration.withdraw_officer(officer_id)
            else:
                await administration.withdraw_right(officer_id, right, authority)
        what = f"the right {right} of officer {officer_id}" if right is not None else f"officer {officer_id}"
        show({"officer_id": officer_id, "right": right}, [f"withdrawn: {what}"], as_json=as_json)
        return ExitCode.FINE

    return asyncio.run(change())


@click.command("approve")
@click.argument("proposal_id", metavar="PROPOSAL")
@click.option("--decline", is_flag=True, help="Say no. Whoever proposed it may take it back like this.")
@click.option("--desk", metavar="HOST:PORT", help="For a code: where the officer reaches the desk, when it is not where you do.")
@desk_options
@pass_surroundings
def approve_command(
    surroundings: Surroundings,
    *,
    proposal_id: str,
    decline: bool,
    desk: str | None,
    profile_folder: Path | None,
    as_json: bool,
) -> int:
    """Approve what another administrator proposed. For an invitation you get the code: hand it to the person yourself."""

    async def change() -> int:
        async with administering(surroundings, profile_folder) as (profile, administration):
            reply = await administration.decide(proposal_id, approve=not decline)
        return show_reply(reply, profile, desk=desk, done="declined" if decline else "approved, and done", as_json=as_json)

    return asyncio.run(change())

"""`gsp officers list`, `show`, `pending` and `used`: who there is, what each may do, and what was done."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from node.cli.exit_codes import ExitCode
from node.cli.officers.showing import (
    officer_document,
    officer_lines,
    officer_table,
    proposal_document,
    proposal_lines,
    use_document,
    use_table,
)
from node.cli.options import desk_options, rows_option
from node.cli.output import show
from node.cli.session import Surroundings, administering, pass_surroundings


@click.command("list")
@desk_options
@pass_surroundings
def list_command(surroundings: Surroundings, *, profile_folder: Path | None, as_json: bool) -> int:
    """List all officers with their rights."""

    async def look() -> int:
        async with administering(surroundings, profile_folder) as (_, administration):
            officers = await administration.officers()
        show({"officers": [officer_document(one) for one in officers]}, officer_table(officers), as_json=as_json)
        return ExitCode.FINE

    return asyncio.run(look())


@click.command("show")
@click.argument("officer_id", metavar="[ID]", default="")
@desk_options
@pass_surroundings
def show_command(surroundings: Surroundings, *, officer_id: str, profile_folder: Path | None, as_json: bool) -> int:
    """Show one officer: rights, certificates. Without an id yourself, which every officer may."""

    async def look() -> int:
        async with administering(surroundings, profile_folder) as (_, administration):
            officer = await administration.officer(officer_id)
        show(officer_document(officer), officer_lines(officer), as_json=as_json)
        return ExitCode.FINE

    return asyncio.run(look())


@click.command("pending")
@desk_options
@pass_surroundings
def pending_command(surroundings: Surroundings, *, profile_folder: Path | None, as_json: bool) -> int:
    """List what waits for a second administrator."""

    async def look() -> int:
        async with administering(surroundings, profile_folder) as (_, administration):
            proposals = await administration.proposals()
        show({"proposals": [proposal_document(one) for one in proposals]}, proposal_lines(proposals), as_json=as_json)
        return ExitCode.FINE

    return asyncio.run(look())


@click.command("used")
@click.argument("officer_id", metavar="[ID]", default="")
@rows_option
@desk_options
@pass_surroundings
def used_command(surroundings: Surroundings, *, officer_id: str, rows: int, profile_folder: Path | None, as_json: bool) -> int:
    """Show who used which right, and who granted what to whom, newest first; with an id, by or about that officer."""

    async def look() -> int:
        async with administering(surroundings, profile_folder) as (_, administration):
            uses = await administration.used(rows=rows, officer_id=officer_id)
        show({"uses": [use_document(one) for one in uses]}, use_table(uses), as_json=as_json)
        return ExitCode.FINE

    return asyncio.run(look())

"""`gsp why`: where a query or an answer stands, how it came there, what comes next, and what to do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from node.cli.exit_codes import ExitCode
from node.cli.options import desk_options
from node.cli.output import show
from node.cli.session import Surroundings, pass_surroundings, session
from node.cli.why_document import explanation_document
from node.cli.why_words import explanation_lines


@click.command
@click.argument("message", metavar="ID")
@desk_options
@pass_surroundings
def why(surroundings: Surroundings, *, message: str, profile_folder: Path | None, as_json: bool) -> int:
    """Explain where a query stands that was asked here, or came here: what happened, what it waits for, what comes next.

    ID is the id of the query or of one of its answers; its first characters are enough when no other id begins with them.
    """
    return asyncio.run(_why(message, surroundings, profile_folder, as_json=as_json))


async def _why(message: str, surroundings: Surroundings, profile_folder: Path | None, *, as_json: bool) -> int:
    async with session(surroundings, profile_folder) as officer:
        explanation = await officer.desk.why(message)
        now = officer.clock.now()
    show(explanation_document(explanation, now=now), explanation_lines(explanation, now=now), as_json=as_json)
    return ExitCode.FINE

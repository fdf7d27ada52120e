"""`gsp inbox`: what other Parties ask, with a draft of the answer from the own records."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from federation.identity import MessageId
from node.cli.documents import inbox_view_document, received_document
from node.cli.exit_codes import ExitCode
from node.cli.options import QueryId, desk_options, rows_option
from node.cli.output import show
from node.cli.session import Surroundings, pass_surroundings, session
from node.cli.words import inbox_view_lines, received_table


@click.command
@click.argument("query", metavar="[ID]", type=QueryId(), required=False)
@rows_option
@desk_options
@pass_surroundings
def inbox(surroundings: Surroundings, *, query: MessageId | None, rows: int, profile_folder: Path | None, as_json: bool) -> int:
    """List the queries that came in, newest first, or show one with a draft of its answer."""
    return asyncio.run(_inbox(query, rows, surroundings, profile_folder, as_json=as_json))


async def _inbox(
    query: MessageId | None, rows: int, surroundings: Surroundings, profile_folder: Path | None, *, as_json: bool
) -> int:
    async with session(surroundings, profile_folder) as officer:
        if query is None:
            page = await officer.desk.inbox(rows=rows)
            show({"queries": [received_document(received) for received in page]}, received_table(page), as_json=as_json)
        else:
            view = await officer.desk.inbox_entry(query)
            show(inbox_view_document(view), inbox_view_lines(view), as_json=as_json)
    return ExitCode.FINE

"""`gsp queries`: what was asked, and what has become of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from federation.identity import MessageId
from node.cli.ask import show_query
from node.cli.documents import asked_document
from node.cli.exit_codes import ExitCode
from node.cli.options import Duration, QueryId, desk_options, rows_option
from node.cli.output import show
from node.cli.session import Session, Surroundings, follow, pass_surroundings, session
from node.cli.words import asked_table


@click.command
@click.argument("query", metavar="[ID]", type=QueryId(), required=False)
@click.option("--wait", type=Duration(), default="0s", help="Wait so long for the final answer of the query.")
@rows_option
@desk_options
@pass_surroundings
def queries(
    surroundings: Surroundings,
    *,
    query: MessageId | None,
    wait: int,
    rows: int,
    profile_folder: Path | None,
    as_json: bool,
) -> int:
    """List the queries that were asked here, newest first, or show one with its answers."""
    return asyncio.run(_queries(query, wait, rows, surroundings, profile_folder, as_json=as_json))


async def _queries(
    query: MessageId | None, wait: int, rows: int, surroundings: Surroundings, profile_folder: Path | None, *, as_json: bool
) -> int:
    async with session(surroundings, profile_folder) as officer:
        if query is None:
            return await list_queries(officer, rows, as_json=as_json)
        return await show_one(officer, query, wait, as_json=as_json)


async def list_queries(officer: Session, rows: int, *, as_json: bool) -> int:
    """Print the newest rows."""
    page = await officer.desk.queries(rows=rows)
    show({"queries": [asked_document(asked) for asked in page]}, asked_table(page), as_json=as_json)
    return ExitCode.FINE


async def show_one(officer: Session, query: MessageId, wait_s: int, *, as_json: bool) -> int:
    """Print one query; whoever waits for its answer is told by the exit code whether it came."""
    view = await follow(officer.desk, await officer.desk.query(query), wait_s=wait_s)
    ending = show_query(view, now=officer.clock.now(), as_json=as_json)
    return ending if wait_s else ExitCode.FINE

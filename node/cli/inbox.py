"""`gsp inbox`: what other Parties ask, with a draft of the answer from the own records; and files that were carried here."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from federation.identity import MessageId
from node.cli.documents import inbox_view_document, received_document
from node.cli.exit_codes import ExitCode
from node.cli.inbox_import import import_command
from node.cli.options import QueryId, desk_options, rows_option
from node.cli.output import show
from node.cli.session import Surroundings, pass_surroundings, session
from node.cli.words import inbox_view_lines, received_table


class _OptionalId(QueryId):
    """None for the empty word, which stands where a verb follows."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return None if value == "" else super().convert(value, param, ctx)


class _Place(click.Argument):
    """Stands in the usage of `gsp inbox`, and not in that of the verbs beside it."""

    def get_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Nothing in the usage of another command."""
        return super().get_usage_pieces(ctx) if isinstance(ctx.command, _Inbox) else []


class _Inbox(click.Group):
    """A command that takes an id or nothing, with verbs beside it: the first word decides."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the empty word in the place of the id when a verb follows; without a verb, options may stand behind the id."""
        if args and args[0] in self.commands:
            return super().parse_args(ctx, ["", *args])
        ctx.allow_interspersed_args = True
        return super().parse_args(ctx, args)


@click.group(cls=_Inbox, invoke_without_command=True, subcommand_metavar="| import FILE")
@click.argument("query", cls=_Place, metavar="[ID]", type=_OptionalId(), required=False)
@rows_option
@desk_options
@pass_surroundings
@click.pass_context
def inbox(
    ctx: click.Context,
    surroundings: Surroundings,
    *,
    query: MessageId | None,
    rows: int,
    profile_folder: Path | None,
    as_json: bool,
) -> int | None:
    """List the queries that came in, newest first, or show one with a draft of its answer."""
    if ctx.invoked_subcommand is not None:
        return None
    return asyncio.run(_inbox(query, rows, surroundings, profile_folder, as_json=as_json))


inbox.add_command(import_command)


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

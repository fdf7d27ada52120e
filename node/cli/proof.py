"""`gsp proof`: one file that convinces a third party, made at the own node and checked anywhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from federation import limits
from federation.boundary.proof import check_proof, refute
from federation.errors import InvalidInput, Oversized
from federation.evidence.bundle import Disclosure
from federation.identity import MessageId
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, Hexadecimal, Moment, QueryId, Word, desk_options, json_option
from node.cli.output import show
from node.cli.proof_many import DISCLOSED, Many, export_many, keep_evidence
from node.cli.proof_words import reply_document, reply_lines, report_document, report_lines
from node.cli.session import Surroundings, pass_surroundings, session


@click.group
def proof() -> None:
    """Make a proof file of a query and its answers, or check one."""


@proof.command
@click.argument("queries", metavar="[ID]...", type=QueryId(), nargs=-1)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write, for one query.")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="The folder to write to, for many: one file each."
)
@click.option("--since", type=Moment(), help="All queries of a time, from this day on (UTC).")
@click.option("--until", type=Moment(), help="Up to the beginning of this day; now, when it is not given.")
@click.option("--received", is_flag=True, help="With --since: those that came in, and not those that were asked.")
@click.option(
    "--disclose",
    type=Word(Disclosure),
    help="How much of what was sealed is shown. Default: all.",
)
@click.option("--no-content", is_flag=True, help="The same as --disclose none.")
@desk_options
@pass_surroundings
def export(
    surroundings: Surroundings,
    *,
    queries: tuple[MessageId, ...],
    output: Path | None,
    folder: Path | None,
    since: int | None,
    until: int | None,
    received: bool,
    disclose: Disclosure | None,
    no_content: bool,
    profile_folder: Path | None,
    as_json: bool,
) -> int:
    """Write the proof of a query that was asked or received here, with its answers; or of many, into a folder.

    When the query was receipted, its deadline has passed and the last answer did not come, your node signs that too.
    """
    if no_content and disclose not in {None, Disclosure.NONE}:
        raise InvalidInput("--no-content says the same as --disclose none, and nothing else")
    shown = Disclosure.NONE if no_content else disclose or Disclosure.ALL
    many = Many(queries=queries, since=since, until=until, received=received, disclose=shown)
    if folder is not None and output is None:
        return asyncio.run(export_many(many, folder, surroundings, profile_folder, as_json=as_json))
    if output is None or folder is not None or since is not None or len(queries) != 1:
        raise InvalidInput("one ID goes with --output; many, or --since, go with --folder")
    raw = asyncio.run(_export(queries[0], surroundings, profile_folder, disclose=shown))
    keep_evidence(output, raw)
    document = {
        "id": queries[0].hex(),
        "file": str(output),
        "bytes": len(raw),
        "content": shown is Disclosure.ALL,
        "disclosed": shown,
    }
    show(document, [f"{output}: {len(raw)} bytes, {DISCLOSED[shown]}"], as_json=as_json)
    return ExitCode.FINE


async def _export(query: MessageId, surroundings: Surroundings, profile_folder: Path | None, *, disclose: Disclosure) -> bytes:
    async with session(surroundings, profile_folder) as officer:
        return await officer.desk.proof(query, disclose=disclose)


@proof.command
@click.argument("file", type=FILE)
@click.option(
    "--log-key", required=True, type=Hexadecimal(), help="The key of the directory's log, as the Secretariat publishes it."
)
@click.option("--genesis", required=True, type=Hexadecimal(), help="The digest of the directory's first entry.")
@click.option("--against", type=FILE, help="A proof of the other side: does it refute that no answer came?")
@json_option
def verify(*, file: Path, log_key: bytes, genesis: bytes, against: Path | None, as_json: bool) -> int:
    """Check a proof file, with no node and no network.

    Key and digest come from you, never from the file: take them from the treaty's publications.
    """
    report = check_proof(_read(file), log_key=log_key, genesis_digest=genesis)
    if against is None:
        show(report_document(report), report_lines(report), as_json=as_json)
        return ExitCode.FINE
    reply = refute(report, check_proof(_read(against), log_key=log_key, genesis_digest=genesis))
    document = {**report_document(report), "reply": reply_document(reply)}
    show(document, [*report_lines(report), *reply_lines(reply)], as_json=as_json)
    return ExitCode.MISBEHAVIOUR if reply.refuted else ExitCode.FINE


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        raw = opened.read(limits.PROOF_FILE_BYTES_MAX + 1)
    if len(raw) > limits.PROOF_FILE_BYTES_MAX:
        raise Oversized(f"{file.name} is larger than any proof")
    return raw

"""`gsp audit`: the Party's auditor looks through the journal of the own node, and takes a signed copy along."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from federation.errors import Conflict, FederationError, InvalidInput, Oversized
from federation.evidence.journal import JournalKind
from federation.limits import TIME_S_MAX
from federation.trust.note import parse_note
from node import limits
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, Hexadecimal, Moment, PartyParameter, Sentence, Word, desk_options, json_option, rows_option
from node.cli.output import Document, clock, columns, rfc3339, show
from node.cli.session import Surroundings, administering, pass_surroundings, session
from node.formats.audit_files import CheckedAudit, Form, check_audit_file, head, render, tail
from node.rpc.audit import AuditClient
from node.use_cases.audit_values import STATES, AuditRow, Closing, Found, Search, parse_closing

CommandType = TypeVar("CommandType", bound=Callable[..., Any])


@click.group
def audit() -> None:
    """Search the journal of your node, take a signed copy of what was found, check such a copy. Every search is recorded."""


def search_options(command: CommandType) -> CommandType:
    """What can be looked for; all that is named has to be so."""
    for option in (
        click.option("--kind", type=Word(JournalKind), help="Records of this kind."),
        click.option("--code", type=Sentence(), default="", help="About this code, as it was asked or scanned."),
        click.option("--reference", type=Sentence(), default="", help="Asked under this case reference."),
        click.option("--state", type=click.Choice(sorted(STATES)), default=None, help="Of a query in this state."),
        click.option(
            "--by", "officer_id", type=Sentence(), default="", metavar="ID", help="Signed by this officer, here or there."
        ),
        click.option("--party", type=PartyParameter(), help="With this other Party."),
        click.option("--until", type=Moment(), help="Up to the beginning of this day (UTC)."),
        click.option("--since", type=Moment(), help="From this day on (UTC)."),
    ):
        command = option(command)
    return command


def _search(looked: Mapping[str, Any]) -> Search:
    """What `search_options` gave."""
    until = looked["until"]
    return Search(
        since=looked["since"] or 0,
        until=TIME_S_MAX if until is None else until,
        peer=looked["party"] or "",
        officer_id=looked["officer_id"],
        state=looked["state"] or "",
        reference=looked["reference"],
        code=looked["code"],
        kind=str(looked["kind"] or ""),
    )


@audit.command
@search_options
@rows_option
@click.option("--names", is_flag=True, help="Name the own officers, as your node knows them.")
@desk_options
@pass_surroundings
def search(
    surroundings: Surroundings, /, *, rows: int, names: bool, profile_folder: Path | None, as_json: bool, **looked: Any
) -> int:
    """Search the journal, newest first, with what each record is about."""

    async def look() -> int:
        known = await _names(surroundings, profile_folder) if names else {}
        async with session(surroundings, profile_folder) as officer:
            found, closing = await _find(AuditClient(officer.desk), _search(looked), rows)
        document = {"rows": [row_document(row, known) for row in found], "closing": closing_document(closing)}
        show(document, [*row_table(found, known), *_rest(closing, len(found))], as_json=as_json)
        return ExitCode.FINE

    return asyncio.run(look())


async def _names(surroundings: Surroundings, profile_folder: Path | None) -> dict[str, str]:
    async with administering(surroundings, profile_folder) as (_, administration):
        return {one.officer_id: one.name for one in await administration.officers()}


async def _find(client: AuditClient, wanted: Search, rows: int) -> tuple[list[AuditRow], Closing]:
    """So many rows, or what one sitting looks at."""
    page = await client.search(wanted)
    found, calls = list(page.rows), 1
    while len(found) < rows and not _closing(page).is_complete and calls < limits.AUDIT_CALLS_MAX:
        page = await client.next(page.closing)
        found, calls = [*found, *page.rows], calls + 1
    return found[:rows], _closing(page)


def _closing(page: Found) -> Closing:
    return parse_closing(parse_note(page.closing).text)


def _rest(closing: Closing, shown: int) -> list[str]:
    lines = [f"{closing.erased} records of that time were erased at the end of retention."] if closing.erased else []
    if closing.rows > shown or not closing.is_complete:
        lines.append(
            "There may be more: ask for more --rows, name an earlier --until, or take all of it with `gsp audit export`."
        )
    return lines


@audit.command
@search_options
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@click.option(
    "--format", "form", type=Word(Form), default="ndjson", show_default=True, help="One JSON document a line, or a table."
)
@desk_options
@pass_surroundings
def export(
    surroundings: Surroundings, /, *, output: Path, form: Form, profile_folder: Path | None, as_json: bool, **looked: Any
) -> int:
    """Write all that a search finds into a file, with a closing line that your node signs."""

    async def take() -> Closing:
        async with session(surroundings, profile_folder) as officer:
            return await _write(AuditClient(officer.desk), _search(looked), output, form)

    closing = asyncio.run(take())
    document = {"file": str(output), "format": form, "closing": closing_document(closing)}
    show(
        document, [f"{output}: {closing.rows} records, signed by {closing.node}", *_rest(closing, closing.rows)], as_json=as_json
    )
    return ExitCode.FINE if closing.is_complete else ExitCode.WARNING


async def _write(client: AuditClient, wanted: Search, output: Path, form: Form) -> Closing:
    """Page by page. What is there when something goes wrong is closed too, and says that it is not all."""
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Conflict(f"{output} is there already", hint="name another file") from None
    except OSError as error:
        raise InvalidInput(f"{output} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        try:
            page = await client.search(wanted)
        except FederationError:
            output.unlink()
            raise
        written = file.write(head(form))
        while True:
            written += file.write(render(form, page.rows))
            if _closing(page).is_complete or written > limits.AUDIT_FILE_BYTES_MAX // 4:  # a character has up to four bytes
                break
            try:
                page = await client.next(page.closing)
            except FederationError:
                file.write(tail(form, page.closing))
                raise
        file.write(tail(form, page.closing))
    return _closing(page)


@audit.command
@click.argument("file", type=FILE)
@click.option("--key", required=True, type=Hexadecimal(), help="The node's signing key, as the directory shows it.")
@json_option
def verify(*, file: Path, key: bytes, as_json: bool) -> int:
    """Check an exported search, with no node and no network: that no row is missing, added or changed."""
    with file.open("rb") as opened:
        raw = opened.read(limits.AUDIT_FILE_BYTES_MAX + 1)
    if len(raw) > limits.AUDIT_FILE_BYTES_MAX:
        raise Oversized("the file is larger than any exported search")
    checked = check_audit_file(raw, public_key=key)
    document = {"holds": True, "format": checked.form, "closing": closing_document(checked.closing)}
    show(document, _verdict(checked), as_json=as_json)
    return ExitCode.FINE if checked.closing.is_complete else ExitCode.WARNING


def _verdict(checked: CheckedAudit) -> list[str]:
    closing = checked.closing
    return [
        f"The file holds: {closing.rows} records, as {closing.node} signed them for officer {closing.officer_id}.",
        f"Searched  {clock(closing.began)}, in the journal {closing.journal} of {closing.size} records",
        *(f"          {what} {value}" for what, value in _looked(closing.search).items()),
        *([f"          {closing.erased} records of that time were erased at the end of retention"] if closing.erased else []),
        *([] if closing.is_complete else ["NOT ALL   the export was stopped: there may be more that was searched for"]),
    ]


def _looked(wanted: Search) -> dict[str, str]:
    named = {what: getattr(wanted, what) for what in ("peer", "officer_id", "state", "reference", "code", "kind")}
    times = {
        "since": rfc3339(wanted.since) if wanted.since else "",
        "until": rfc3339(wanted.until) if wanted.until < TIME_S_MAX else "",
    }
    return {what: value for what, value in {**times, **named}.items() if value}


def closing_document(closing: Closing) -> Document:
    """A closing line for programs."""
    return {
        "node": closing.node,
        "officer_id": closing.officer_id,
        "began": rfc3339(closing.began),
        "search": _looked(closing.search),
        "rows": closing.rows,
        "digest": closing.digest.hex(),
        "erased": closing.erased,
        "complete": closing.is_complete,
        "journal": {"name": closing.journal, "size": closing.size, "root": closing.root.hex()},
    }


def row_document(row: AuditRow, names: dict[str, str]) -> Document:
    """One record for programs."""
    return {
        "position": row.position,
        "at": rfc3339(row.at),
        "kind": row.kind,
        "peer": row.peer,
        "message": row.message_id or None,
        "query": row.query_id or None,
        "direction": row.direction or None,
        "officer_id": row.officer_id or None,
        "officer": names.get(row.officer_id),
        "state": row.state or None,
        "reference": row.reference or None,
        "codes": row.codes,
        "note": row.note or None,
        "digest": row.digest,
    }


def row_table(rows: Sequence[AuditRow], names: dict[str, str]) -> list[str]:
    """The records as lines."""
    top = ("RECORD", "TIME", "KIND", "PARTY", "QUERY", "STATE", "OFFICER", "REFERENCE")
    lines = [
        (
            str(row.position),
            clock(row.at),
            row.kind,
            row.peer,
            row.query_id or "-",
            f"{row.direction}, {row.state}" if row.direction else "-",
            names.get(row.officer_id, row.officer_id) or "-",
            row.reference or "-",
        )
        for row in rows
    ]
    return columns([top, *lines]) if lines else ["Nothing was found."]

"""`gsp proof`: one file that convinces a third party, made at the own node and checked anywhere."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from federation import limits
from federation.boundary.proof import CheckedContent, CheckedCrossing, ProofReport, check_proof
from federation.errors import Conflict, InvalidInput, Oversized
from federation.evidence.journal import JournalKind
from federation.identity import MessageId
from federation.query.query import Query
from node.cli.documents import answer_document, query_document
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, QueryId, desk_options, json_option
from node.cli.output import Document, clock, rfc3339, show
from node.cli.session import Surroundings, pass_surroundings, session
from node.cli.words import answer_lines, query_lines

_DIGEST_BYTES = 32


class Hexadecimal(click.ParamType[bytes]):
    """A key or a digest: 64 hexadecimal digits."""

    name = "hex"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        try:
            raw = bytes.fromhex(value)
        except ValueError:
            raw = b""
        if len(raw) != _DIGEST_BYTES:
            self.fail("this takes 64 hexadecimal digits", param, ctx)
        return raw


@click.group
def proof() -> None:
    """Make a proof file of a query and its answers, or check one."""


@proof.command
@click.argument("query", metavar="ID", type=QueryId())
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@click.option("--no-content", is_flag=True, help="Prove that it crossed, without showing what was said.")
@desk_options
@pass_surroundings
def export(
    surroundings: Surroundings,
    *,
    query: MessageId,
    output: Path,
    no_content: bool,
    profile_folder: Path | None,
    as_json: bool,
) -> int:
    """Write the proof of a query that was asked or received here."""
    raw = asyncio.run(_export(query, surroundings, profile_folder, disclose=not no_content))
    _write(output, raw)
    content = "without the content" if no_content else "with the content: whoever has the file can read it"
    document = {"id": query.hex(), "file": str(output), "bytes": len(raw), "content": not no_content}
    show(document, [f"{output}: {len(raw)} bytes, {content}"], as_json=as_json)
    return ExitCode.FINE


async def _export(query: MessageId, surroundings: Surroundings, profile_folder: Path | None, *, disclose: bool) -> bytes:
    async with session(surroundings, profile_folder) as officer:
        return await officer.desk.proof(query, disclose=disclose)


def _write(path: Path, raw: bytes) -> None:
    """Evidence never replaces other evidence, and is nobody else's to read."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(raw)
    except FileExistsError:
        raise Conflict(f"{path} is there already", hint="name another file") from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}") from error


@proof.command
@click.argument("file", type=FILE)
@click.option(
    "--log-key", required=True, type=Hexadecimal(), help="The key of the directory's log, as the Secretariat publishes it."
)
@click.option("--genesis", required=True, type=Hexadecimal(), help="The digest of the directory's first entry.")
@json_option
def verify(*, file: Path, log_key: bytes, genesis: bytes, as_json: bool) -> int:
    """Check a proof file, with no node and no network.

    Key and digest come from you, never from the file: take them from the treaty's publications.
    """
    with file.open("rb") as opened:
        raw = opened.read(limits.PROOF_FILE_BYTES_MAX + 1)
    if len(raw) > limits.PROOF_FILE_BYTES_MAX:
        raise Oversized("the file is larger than any proof")
    report = check_proof(raw, log_key=log_key, genesis_digest=genesis)
    show(report_document(report), report_lines(report), as_json=as_json)
    return ExitCode.FINE


def report_lines(report: ProofReport) -> Iterator[str]:
    """What a proof proves, in words."""
    yield f"The proof holds. It stands on the directory of {report.genesis.domain} with {report.directory_size} entries,"
    yield f"cosigned by {', '.join(report.cosigners) or 'none of the nodes in it'}; exported by {report.exporter.dns}."
    if report.quorum is None:
        yield "It holds a part of that directory: ask any Party whether a key in it was revoked before the messages crossed."
    else:
        yield f"It holds all of that directory, under {len(report.quorum.witnesses)} of its {report.quorum.of} witnesses."
    for crossing in report.crossings:
        yield ""
        yield from _crossing_lines(crossing, report)


def _crossing_lines(crossing: CheckedCrossing, report: ProofReport) -> Iterator[str]:
    header = crossing.header
    sent = header.sender == report.exporter
    yield f"Message   {header.message_id.hex()}"
    yield f"          signed by {header.sender.dns} for {header.recipient.dns}, {clock(header.created)}"
    yield f"          recorded as {JournalKind.SENT if sent else JournalKind.RECEIVED} in the journal of {report.exporter.dns}"
    if crossing.receipt is not None:
        yield f"          received by {crossing.receipt.receiver.dns}, {clock(crossing.receipt.received_at)}, over its signature"
    elif sent:
        yield "          no receipt of the other side: that it arrived is not proved"
    for revoked in crossing.revoked:
        yield f"          since then its Party has revoked {revoked}: ask it from when on"
    if crossing.content is None:
        yield "          the content is not disclosed"
    else:
        yield from _content_lines(crossing.content)


def _content_lines(content: CheckedContent) -> Iterator[str]:
    author = f"officer {content.officer.name.officer_id}" if content.officer is not None else "the Party's policy"
    yield f"Content   of {content.statement.sender} for {content.statement.recipient}, {clock(content.statement.created)}, by {author}"
    yield from query_lines(content.content) if isinstance(content.content, Query) else answer_lines(content.content)


def report_document(report: ProofReport) -> Document:
    """What a proof proves, for programs."""
    return {
        "holds": True,
        "domain": report.genesis.domain,
        "directory_size": report.directory_size,
        "directory_complete": report.quorum is not None,
        "cosigners": list(report.cosigners),
        "witnesses": list(report.quorum.witnesses) if report.quorum is not None else None,
        "exporter": report.exporter.dns,
        "messages": [_crossing_document(crossing) for crossing in report.crossings],
    }


def _crossing_document(crossing: CheckedCrossing) -> Document:
    header, receipt, content = crossing.header, crossing.receipt, crossing.content
    return {
        "id": header.message_id.hex(),
        "sender": header.sender.dns,
        "recipient": header.recipient.dns,
        "created": rfc3339(header.created),
        "envelope_digest": crossing.digest.hex(),
        "revoked_since": list(crossing.revoked),
        "receipt": {"receiver": receipt.receiver.dns, "received": rfc3339(receipt.received_at)} if receipt is not None else None,
        "content": _content_document(content) if content is not None else None,
    }


def _content_document(content: CheckedContent) -> Document:
    said = content.content
    return {
        "kind": content.statement.kind,
        "officer_id": content.officer.name.officer_id if content.officer is not None else None,
        "created": rfc3339(content.statement.created),
        "deadline": rfc3339(content.statement.deadline),
        "said": query_document(said) if isinstance(said, Query) else answer_document(said),
    }

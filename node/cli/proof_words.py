"""A checked proof, in words for whoever decides something upon it, and as a document for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from federation.boundary.proof import CheckedContent, CheckedCrossing, ProofReport, Reply, findings
from federation.delivery.receipt import Receipt
from federation.envelope.attachment import Named
from federation.evidence.journal import JournalKind
from federation.evidence.silence import Silence
from federation.query.answer import Answer
from federation.query.query import Query
from node.cli.documents import answer_document, query_document
from node.cli.output import Document, clock, rfc3339
from node.cli.words import WIDTH, answer_lines, query_lines


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
    yield from _finding_lines(report)


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
    for file in header.attachments:
        got = crossing.attached.get(file.attachment_id)
        fate = f"received whole, {clock(got.received_at)}" if got is not None else "no receipt of the other side in this file"
        yield f"          file {file.attachment_id.hex()}, {file.size} bytes encrypted: {fate}"
    for revoked in crossing.revoked:
        yield f"          since then its Party has revoked {revoked}: ask it from when on"
    if crossing.content is None:
        yield "          the content is not disclosed"
    else:
        yield from _content_lines(crossing.content)


def _content_lines(content: CheckedContent) -> Iterator[str]:
    if content.content is None:
        yield "          the content is not disclosed, but the statement that the officer signed is"
    author = f"officer {content.officer.name.officer_id}" if content.officer is not None else "the Party's policy"
    yield f"Content   of {content.statement.sender} for {content.statement.recipient}, {clock(content.statement.created)}, by {author}"
    if content.content is not None:
        yield from query_lines(content.content) if isinstance(content.content, Query) else answer_lines(content.content)


def _finding_lines(report: ProofReport) -> Iterator[str]:
    found = findings(report)
    for head, sentences in (
        ("What this file proves", found.proven),
        ("What was not disclosed", found.not_disclosed),
        ("What this file does not prove", found.not_proven),
    ):
        if sentences:
            yield ""
            yield head
        for number, sentence in enumerate(sentences, 1):
            yield from textwrap.wrap(sentence, WIDTH, initial_indent=f"{number:>3}. ", subsequent_indent="     ")


def reply_lines(reply: Reply) -> Iterator[str]:
    """What another proof says to a word of silence."""
    yield ""
    if not reply.refuted and not reply.later:
        yield "The other file does not contradict it: it holds no receipt of an answer to this query that shows what it answers."
    for receipt in reply.refuted:
        yield (
            f"REFUTED: {receipt.receiver.dns} had signed that it received answer {receipt.message_id.hex()} on "
            f"{clock(receipt.received_at)}, as record {receipt.leaf_index} of its journal, before it said that there was none."
        )
    for receipt in reply.later:
        yield f"Answer {receipt.message_id.hex()} came later: {receipt.receiver.dns} received it on {clock(receipt.received_at)}."


def reply_document(reply: Reply) -> Document:
    """The same for programs."""
    return {
        "refuted": [_receipt_document(receipt) for receipt in reply.refuted],
        "later": [_receipt_document(receipt) for receipt in reply.later],
    }


def report_document(report: ProofReport) -> Document:
    """What a proof proves, for programs."""
    found = findings(report)
    return {
        "holds": True,
        "domain": report.genesis.domain,
        "directory_size": report.directory_size,
        "directory_complete": report.quorum is not None,
        "cosigners": list(report.cosigners),
        "witnesses": list(report.quorum.witnesses) if report.quorum is not None else None,
        "exporter": report.exporter.dns,
        "journal": {"name": report.journal.origin, "size": report.journal.size},
        "silence": _silence_document(report.silence) if report.silence is not None else None,
        "proven": list(found.proven),
        "not_disclosed": list(found.not_disclosed),
        "not_proven": list(found.not_proven),
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
        "receipt": _receipt_document(receipt) if receipt is not None else None,
        "files": [_file_document(file, crossing.attached.get(file.attachment_id)) for file in header.attachments],
        "content": _content_document(content) if content is not None else None,
    }


def _receipt_document(receipt: Receipt) -> Document:
    return {
        "message": receipt.message_id.hex(),
        "receiver": receipt.receiver.dns,
        "received": rfc3339(receipt.received_at),
        "record": receipt.leaf_index,
    }


def _file_document(file: Named, receipt: Receipt | None) -> Document:
    return {
        "id": file.attachment_id.hex(),
        "encrypted_size": file.size,
        "encrypted_sha512": file.sha512.hex(),
        "receipt": _receipt_document(receipt) if receipt is not None else None,
    }


def _silence_document(silence: Silence) -> Document:
    return {"at": rfc3339(silence.at), "answers": [one.hex() for one in silence.answers], "journal_size": silence.journal_size}


def _content_document(content: CheckedContent) -> Document:
    said = content.content
    return {
        "kind": content.statement.kind,
        "officer_id": content.officer.name.officer_id if content.officer is not None else None,
        "created": rfc3339(content.statement.created),
        "deadline": rfc3339(content.statement.deadline),
        "said": _said(said) if said is not None else None,
    }


def _said(said: Query | Answer) -> Document:
    return query_document(said) if isinstance(said, Query) else answer_document(said)

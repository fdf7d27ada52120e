"""A checked proof in sentences: what is proven, what its maker did not disclose, and what it does not prove.

They are for somebody who decides something upon them: each says who, what, to whom and by whose clock, and none says more than the
signatures do. What was asked and answered, word for word, is left to whoever prints the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from federation.boundary.proof_content import CheckedContent
from federation.boundary.proof_report import CheckedCrossing, ProofReport
from federation.envelope.attachment import Named
from federation.evidence.silence import Silence
from federation.query.answer import Answer
from federation.query.codes import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Whole sentences, in the order of the file."""

    proven: tuple[str, ...]
    not_disclosed: tuple[str, ...]
    not_proven: tuple[str, ...]


def findings(report: ProofReport) -> Findings:
    """Say what a proof is worth."""
    return Findings(
        proven=tuple(_proven(report)), not_disclosed=tuple(_not_disclosed(report)), not_proven=tuple(_not_proven(report))
    )


def _named(report: ProofReport) -> Iterator[tuple[str, CheckedCrossing]]:
    for number, one in enumerate(report.crossings):
        yield ("the query" if number == 0 else f"message {number + 1}"), one


def _proven(report: ProofReport) -> Iterator[str]:
    for name, one in _named(report):
        header = one.header
        yield (
            f"{header.sender.dns} made {name}, {header.message_id.hex()}, for {header.recipient.dns},"
            f" and signed it on {_time(header.created)}."
        )
        if one.receipt is not None:
            yield (
                f"{one.receipt.receiver.dns} signed that it received {name} on {_time(one.receipt.received_at)},"
                f" as record {one.receipt.leaf_index} of its journal."
            )
        yield from _files_received(name, one)
        did = "sent" if header.sender == report.exporter else "received"
        yield f"{report.exporter.dns} wrote into its journal that it {did} {name} on {_time(one.recorded_at)}."
        if one.content is not None:
            yield from _said(name, one.content)
    if report.silence is not None:
        yield from _silent(report, report.silence)


def _files_received(name: str, one: CheckedCrossing) -> Iterator[str]:
    for file in one.header.attachments:
        receipt = one.attached.get(file.attachment_id)
        if receipt is not None:
            yield (
                f"{receipt.receiver.dns} signed that it received {_file(one, file)} of {name} whole on {_time(receipt.received_at)},"
                f" as record {receipt.leaf_index} of its journal."
            )


def _not_receipted(name: str, one: CheckedCrossing) -> Iterator[str]:
    if one.receipt is None:
        yield f"That {name} arrived: {one.header.recipient.dns} has receipted nothing in this file."
    for file in one.header.attachments:
        if file.attachment_id not in one.attached:
            yield f"That {_file(one, file)} of {name} arrived: {one.header.recipient.dns} has not receipted it here."


def _file(one: CheckedCrossing, file: Named) -> str:
    """A file by its name, where the content is disclosed; by its id otherwise."""
    disclosed = one.content.content.attachments if one.content is not None and one.content.content is not None else ()
    names = {known.attachment_id: known.facts.name for known in disclosed}
    return f"the file {names.get(file.attachment_id, file.attachment_id.hex())}"


def _said(name: str, content: CheckedContent) -> Iterator[str]:
    statement = content.statement
    who = f"Officer {content.officer.name.officer_id} of {statement.sender}" if content.officer is not None else ""
    when = f"on {_time(statement.created)}"
    asks = f", to be answered by {_time(statement.deadline)}" if statement.in_reply_to is None else ""
    if content.content is None:
        yield f"{who} signed a {statement.kind} under the id of {name} {when}{asks}."
        return
    yield (
        f"{who} signed what {name} says {when}{asks}; it is what the envelope held."
        if who
        else f"What {name} says stands on a policy of {statement.sender}, signed by its node alone; it is what the envelope held."
    )
    if isinstance(content.content, Answer):
        refused = [result for result in content.content.results if result.outcome is Outcome.REFUSED]
        if refused:
            reasons = ", ".join(sorted({str(result.refusal) for result in refused}))
            yield f"{_capital(name)} refuses {len(refused)} of {len(content.content.results)} codes, for the reason {reasons}."


def _silent(report: ProofReport, silence: Silence) -> Iterator[str]:
    which = "no other answer to the query than those in this file" if silence.answers else "no answer to the query"
    yield (
        f"{report.exporter.dns} has bound itself: it signed on {_time(silence.at)} that {which} stands in its journal"
        f" of {silence.journal_size} records."
    )
    query = report.crossings[0]
    if query.receipt is not None and query.content is not None and query.receipt.received_at > query.content.statement.deadline:
        yield f"{query.header.recipient.dns} received the query only after the time by which an answer was wanted."


def _not_disclosed(report: ProofReport) -> Iterator[str]:
    for name, one in _named(report):
        if one.content is None:
            yield f"What {name} says, and who signed it at its Party."
        elif one.content.content is None:
            yield f"What {name} says."
    if report.silence is not None and report.crossings[0].content is None:
        yield "By when an answer was wanted."


def _not_proven(report: ProofReport) -> Iterator[str]:
    for name, one in _named(report):
        if one.header.sender == report.exporter:
            yield from _not_receipted(name, one)
        if name != "the query" and one.content is None:
            yield f"That {name} answers the query: that stands in what was not disclosed."
        if one.content is not None and one.content.content is None:
            yield f"That the envelope of {name} held the statement that the officer signed under its id."
        for revoked in one.revoked:
            yield f"That {name} was signed before {revoked} was revoked, which its Party has done since."
    yield from _no_answer(report)
    if report.quorum is None:
        yield "That no key was revoked meanwhile: the file holds a part of the directory. Any Party can say."
    yield "That a clock was right: each time is by the clock of the node that is named with it, or of the officer's node."
    yield "That nobody had stolen a key that signed here."


def _no_answer(report: ProofReport) -> Iterator[str]:
    asked_by, asked = report.crossings[0].header.sender.dns, report.crossings[0].header.recipient.dns
    if report.silence is not None:
        other = "another answer" if report.silence.answers else "an answer"
        yield (
            f"That {other} was not sent, or did not arrive: it is the word of {asked_by}, and nobody else has signed that journal."
            f" The word is false if there is a receipt that {asked_by} signed for such an answer"
            f" as one of the first {report.silence.journal_size} records of its journal: {asked} keeps it, if it has one."
        )
    elif len(report.crossings) == 1:
        yield "That no answer came: this file holds none, and its maker says nothing of it."


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"

"""`gsp journal`: whether this node's records agree with those of its peers, and whether its own journal holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from federation.boundary.accounts import read_contradiction
from federation.errors import Conflict, InvalidInput, NotFound
from federation.evidence.account import DAY_S, DifferenceKind
from federation.identity import PartyId
from federation.ports import Alarm, ComparedDay, Difference
from node.cli.directory_source import HOME, read_evidence
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, Hexadecimal, PartyParameter, json_option
from node.cli.output import Document, clock, rfc3339, show
from node.formats.ceremony import read_bytes
from node.store.journal_check import PairReport, read_pairs, survey_journal
from node.use_cases.journal_checks import DIFFERENCE_WORDS, WORDS
from node.use_cases.verified_log import verify_copy

DIFFERENCES_SHOWN = 5
"""Messages named for one Party in text; `--json` has them all."""

home_option = click.option(
    "--home", metavar="DIR", required=True, envvar="GSP_HOME", type=HOME, help="A Party's node's folder; or set GSP_HOME."
)


@click.group
def journal() -> None:
    """Compare the records of this node with its peers' accounts, and its journal with its own rows; the node may be running."""


@journal.command
@home_option
@json_option
def status(*, home: Path, as_json: bool) -> int:
    """Show for each peer up to which day both agree, how many messages each has, and every difference in words.

    Ends with 1 when something differs, and with 2 when a peer's journal is not the one that it signed.
    """
    pairs = read_pairs(home / "exchange.sqlite")
    document = {"peers": [_pair_document(pair) for pair in pairs]}
    lines = [line for pair in pairs for line in _pair_lines(pair)]
    show(document, lines or ["Nothing has crossed yet, or nothing was compared."], as_json=as_json)
    if any(pair.alarms for pair in pairs):
        return ExitCode.BAD
    return ExitCode.WARNING if any(_standing_differences(pair) for pair in pairs) else ExitCode.FINE


@journal.command
@home_option
@json_option
def check(*, home: Path, as_json: bool) -> int:
    """Make the tree of this node's journal again from its rows, and hold it against them. Ends with 2 if it does not hold."""
    survey = survey_journal(home / "exchange.sqlite")
    document = {
        "holds": not survey.problems,
        "records": survey.records,
        "erased": survey.erased,
        "root": survey.root.hex(),
        "problems": list(survey.problems),
    }
    verdict = f"{survey.records} records, {survey.erased} of them erased at the end of retention"
    lines = [
        f"{verdict}; the journal {'does NOT hold' if survey.problems else 'holds'}.",
        *(f"  {one}" for one in survey.problems),
    ]
    show(document, lines, as_json=as_json)
    return ExitCode.BAD if survey.problems else ExitCode.FINE


@journal.command
@click.argument("party", type=PartyParameter())
@click.option("-o", "--output", metavar="FILE", required=True, type=click.Path(path_type=Path), help="The new file.")
@home_option
@json_option
def export(*, party: PartyId, output: Path, home: Path, as_json: bool) -> int:
    """Write the two signed statements of a Party's node that contradict each other into one file, for anybody to verify."""
    alarms = [alarm for pair in read_pairs(home / "exchange.sqlite") if pair.standing.peer == party for alarm in pair.alarms]
    if not alarms:
        raise NotFound(f"nothing that {party} signed contradicts anything", hint="`gsp journal status` shows the peers")
    oldest = alarms[-1]
    try:
        with output.open("xb") as file:
            file.write(oldest.proof)
    except FileExistsError:
        raise Conflict(f"{output} is there already", hint="name another file") from None
    except OSError as error:
        raise InvalidInput(f"{output} cannot be written: {error.strerror}") from error
    document = {"file": str(output), "party": str(party), **_alarm_document(oldest)}
    show(document, [f"{output}: {party}, {_alarm_words(oldest)}"], as_json=as_json)
    return ExitCode.FINE


@journal.command
@click.argument("file", type=FILE)
@click.option("--directory", required=True, type=FILE, help="A file of `gsp directory export`.")
@click.option("--genesis", required=True, type=Hexadecimal(), help="The digest of the directory's first entry.")
@json_option
def verify(*, file: Path, directory: Path, genesis: bytes, as_json: bool) -> int:
    """Verify a file of `gsp journal export`: that one node signed both statements, and that they cannot both be true."""
    view = verify_copy(read_evidence(directory, None), genesis_digest=genesis)
    node, judgement = read_contradiction(read_bytes(file), roster=view.replica.roster)
    document = {"node": node.dns, "judgement": str(judgement)}
    show(document, [f"{node.dns} signed both: {WORDS[judgement]}."], as_json=as_json)
    return ExitCode.FINE


def _standing_differences(pair: PairReport) -> list[Difference]:
    return [one for one in pair.differences if not one.healed]


def _pair_lines(pair: PairReport) -> Iterator[str]:
    standing = pair.standing
    agreed = _agreed_day(pair.days)
    visited = f"looked at on {clock(standing.visited)}" if standing.visited else "not looked at yet"
    yield f"{standing.peer}  {f'agreed up to {day_text(agreed)}' if agreed is not None else 'nothing agreed yet'}, {visited}"
    if standing.problem:
        yield f"    no account since {clock(standing.failing_since)}: {standing.problem}"
    for day in [day for day in pair.days if not day.agreed][:DIFFERENCES_SHOWN]:
        yield f"    {day_text(day.day)}: {_day_words(day)}"
    differing = _standing_differences(pair)
    for one in differing[:DIFFERENCES_SHOWN]:
        yield f"    {one.message_id.hex()}, of {day_text(one.day)}: {_difference_words(one)}"
    if len(differing) > DIFFERENCES_SHOWN:
        yield f"    and {len(differing) - DIFFERENCES_SHOWN} more"
    for alarm in pair.alarms[:DIFFERENCES_SHOWN]:
        yield f"    ALARM of {clock(alarm.found)}: {_alarm_words(alarm)}"


def _agreed_day(days: Sequence[ComparedDay]) -> int | None:
    """The last day before which nothing stands that differs."""
    differing = [day.day for day in days if not day.agreed]
    agreed = [day.day for day in days if day.agreed and (not differing or day.day < min(differing))]
    return max(agreed, default=None)


def _day_words(day: ComparedDay) -> str:
    return f"they hold {day.they_have} of our {day.sent}, and we hold {day.received} of their {day.they_sent}"


def _difference_words(one: Difference) -> str:
    suffix = "; sent again by itself for a week" if one.kind is DifferenceKind.LOST_THERE else ""
    return f"{DIFFERENCE_WORDS[one.kind]}{suffix}"


def _alarm_words(alarm: Alarm) -> str:
    return f"{WORDS[alarm.judgement]} (of {alarm.size} records)"


def day_text(day: int) -> str:
    """A day as people and programs read it."""
    return f"{datetime.fromtimestamp(day * DAY_S, tz=UTC):%Y-%m-%d}"


def _pair_document(pair: PairReport) -> Document:
    standing, agreed = pair.standing, _agreed_day(pair.days)
    return {
        "party": str(standing.peer),
        "visited": rfc3339(standing.visited) if standing.visited else None,
        "agreed_up_to": day_text(agreed) if agreed is not None else None,
        "problem": standing.problem or None,
        "failing_since": rfc3339(standing.failing_since) if standing.failing_since else None,
        "days_to_compare": pair.open_days,
        "days": [_day_document(day) for day in pair.days],
        "differences": _difference_documents(pair.differences),
        "alarms": [_alarm_document(alarm) for alarm in pair.alarms],
    }


def _day_document(day: ComparedDay) -> Document:
    return {
        "day": day_text(day.day),
        "agreed": day.agreed,
        "compared": rfc3339(day.compared),
        "sent": day.sent,
        "they_have": day.they_have,
        "received": day.received,
        "they_sent": day.they_sent,
    }


def _difference_documents(found: Iterable[Difference]) -> list[Document]:
    return [
        {
            "kind": str(one.kind),
            "message_id": one.message_id.hex(),
            "day": day_text(one.day),
            "found": rfc3339(one.found),
            "healed": rfc3339(one.healed) if one.healed else None,
        }
        for one in found
    ]


def _alarm_document(alarm: Alarm) -> Document:
    return {"judgement": str(alarm.judgement), "epoch": alarm.epoch, "size": alarm.size, "found": rfc3339(alarm.found)}

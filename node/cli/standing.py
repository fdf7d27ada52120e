"""Who waits for what, said by either side at any time: `gsp secretariat status` and `gsp party status`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from federation.errors import NotFound
from federation.identity import PartyId
from federation.trust.enrolment import Step
from node.cli.exit_codes import ExitCode
from node.cli.options import PartyParameter, json_option
from node.cli.output import clock, rfc3339, show
from node.cli.serving import home_option
from node.formats.standing import PartyLine, ProposalLine, read_status, standing_of
from node.use_cases.standing import Standing


def standing_lines(standing: Standing, *, since: int) -> list[str]:
    """One Party in two or three lines."""
    where = f"{standing.status}" if standing.status is not None else f"{standing.step}"
    waits = standing.waits_for
    lines = [
        f"{standing.party}: {where}" + (f", waits for {waits} since {clock(since)}" if waits else f" since {clock(since)}"),
    ]
    if standing.fingerprint:
        lines.append(f"  fingerprint  {standing.fingerprint}")
    if standing.confirmed_by:
        lines.append(f"  confirmed by {', '.join(standing.confirmed_by)}")
    if standing.step is Step.INVITED and standing.expires:
        lines.append(f"  code ends    {clock(standing.expires)}")
    return [*lines, f"  next         {standing.next_act}"]


def standing_document(standing: Standing, *, since: int) -> dict[str, Any]:
    """The same for programs."""
    return {
        "party": standing.party,
        "step": standing.step,
        "status": standing.status,
        "since": rfc3339(since),
        "fingerprint": standing.fingerprint or None,
        "founders_signed": standing.founders_signed,
        "founders_needed": standing.founders_needed,
        "confirmed_by": list(standing.confirmed_by),
        "confirmations": standing.confirmations,
        "waits_for": standing.waits_for or None,
        "next": standing.next_act,
    }


@click.command("status")
@click.argument("party", type=PartyParameter(), required=False)
@home_option
@json_option
def status_command(*, party: PartyId | None, home: Path, as_json: bool) -> int:
    """Say who waits for what, the node running or not: every Party, and every entry that waits for founders."""
    status = read_status(home / "status.json")
    chosen = [line for line in status.parties if party in (None, line.party)]
    if party is not None and not chosen:
        raise NotFound(f"{party} was never invited", hint=f"invite it: `gsp secretariat invite {party}`")
    lines = [f"The directory of {status.domain} with {status.size} entries, as of {clock(status.at)}."]
    lines += [words for line in chosen for words in ("", *standing_lines(standing_of(line), since=line.since))]
    proposals = status.proposals if party is None else ()
    lines += [words for one in proposals for words in ("", *_proposal_lines(one, status.founders))]
    document = {
        "at": rfc3339(status.at),
        "domain": status.domain,
        "entries": status.size,
        "parties": [_party(line) for line in chosen],
        "proposals": [_proposal(one, status.founders) for one in proposals],
    }
    show(document, lines, as_json=as_json)
    return ExitCode.FINE


def _party(line: PartyLine) -> dict[str, Any]:
    return standing_document(standing_of(line), since=line.since)


def _proposal_lines(one: ProposalLine, founders: tuple[str, ...]) -> list[str]:
    signed = len(set(one.signed) & set(founders))
    return [
        f"{one.file}: {signed} founders have signed, {one.needed} have to; it waits since {clock(one.since)}",
        f"  digits       {one.digits}",
        *([f"  not logged   {one.problem}"] if one.problem else []),
    ]


def _proposal(one: ProposalLine, founders: tuple[str, ...]) -> dict[str, Any]:
    return {
        "file": one.file,
        "kind": one.kind,
        "since": rfc3339(one.since),
        "digits": one.digits,
        "founders_signed": len(set(one.signed) & set(founders)),
        "founders_needed": one.needed,
        "problem": one.problem or None,
    }

"""Officers, proposals and the record, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from federation.trust.desk_code import DeskCode, encode_desk_code
from node.cli.exit_codes import ExitCode
from node.cli.output import Document, clock, columns, rfc3339, show
from node.cli.profile import Profile
from node.use_cases.administration_values import CertificateLine, OfficerLine, ProposalLine, Reply
from node.use_cases.officers import Use
from node.use_cases.rights import Grant

OPERATOR = "operator"
"""Who did what nobody signed for."""


def grant_document(grant: Grant) -> Document:
    return {
        "right": grant.right,
        "authority": f"{grant.authority.kind}:{grant.authority.name}",
        "purposes": sorted(grant.purposes),
    }


def officer_document(officer: OfficerLine) -> Document:
    return {
        "officer_id": officer.officer_id,
        "name": officer.name,
        "authority": f"{officer.authority.kind}:{officer.authority.name}",
        "state": officer.state,
        "created": rfc3339(officer.created),
        "days": officer.life_s // 86_400,
        "grants": [grant_document(grant) for grant in officer.grants],
        "certificates": [certificate_document(one) for one in officer.certificates],
    }


def certificate_document(one: CertificateLine) -> Document:
    return {
        "hash": one.hash.hex(),
        "not_after": rfc3339(one.not_after),
        "withdrawn": rfc3339(one.withdrawn) if one.withdrawn is not None else None,
    }


def officer_lines(officer: OfficerLine) -> Iterator[str]:
    yield f"Officer   {officer.officer_id}  {officer.name}, {officer.authority.kind}: {officer.authority.name}"
    yield f"State     {officer.state}, since {clock(officer.created)}; certificates live {officer.life_s // 86_400} days"
    yield from (f"Right     {grant.words}" for grant in officer.grants)
    for one in officer.certificates:
        end = f"until {clock(one.not_after)}" if one.withdrawn is None else f"withdrawn {clock(one.withdrawn)}"
        yield f"Certificate {one.hash.hex()[:16]}  {end}"


def officer_table(officers: Sequence[OfficerLine]) -> list[str]:
    return columns(
        [
            ("OFFICER", "STATE", "UNTIL", "RIGHTS", "NAME"),
            *((one.officer_id, str(one.state), _until(one), _rights(one.grants), one.name) for one in officers),
        ]
    )


def _until(officer: OfficerLine) -> str:
    ends = [one.not_after for one in officer.certificates if one.withdrawn is None]
    return clock(max(ends)) if ends else "-"


def _rights(grants: Iterable[Grant]) -> str:
    return ",".join(sorted({str(grant.right) for grant in grants})) or "-"


def proposal_document(proposal: ProposalLine) -> Document:
    return {
        "proposal_id": proposal.proposal_id,
        "kind": proposal.kind,
        "proposer": proposal.proposer,
        "created": rfc3339(proposal.created),
        "officer": officer_document(proposal.officer),
        "grants": [grant_document(grant) for grant in proposal.grants],
    }


def proposal_lines(proposals: Sequence[ProposalLine]) -> list[str]:
    if not proposals:
        return ["nothing waits for a second administrator"]
    rows = [
        (
            one.proposal_id,
            str(one.kind),
            one.proposer,
            clock(one.created),
            f"{one.officer.officer_id} {one.officer.name}: {'; '.join(grant.words for grant in one.grants) or 'a new code'}",
        )
        for one in proposals
    ]
    return columns([("PROPOSAL", "KIND", "BY", "SINCE", "ABOUT"), *rows])


def use_document(use: Use) -> Document:
    return {
        "at": rfc3339(use.at),
        "officer_id": use.officer_id or None,
        "act": use.act,
        "right": use.right or None,
        "message_id": use.message_id.hex() or None,
        "subject": use.subject or None,
        "words": use.words,
    }


def use_table(uses: Sequence[Use]) -> list[str]:
    rows = [
        (
            clock(use.at),
            use.officer_id or OPERATOR,
            use.act,
            use.right or "-",
            " ".join(part for part in (use.message_id.hex(), use.subject, use.words) if part),
        )
        for use in uses
    ]
    return columns([("TIME", "OFFICER", "ACT", "RIGHT", "ABOUT"), *rows])


def show_reply(reply: Reply, profile: Profile, *, desk: str | None, done: str, as_json: bool) -> int:
    """Say what became of an act: done, with a code to hand over, or waiting for a second administrator."""
    outcome = reply.outcome
    if outcome.proposal_id:
        document: Document = {"officer_id": outcome.officer_id, "proposal_id": outcome.proposal_id}
        lines = [
            "This needs a second administrator, who runs:",
            f"  gsp officers approve {outcome.proposal_id}",
        ]
        show(document, lines, as_json=as_json)
        return ExitCode.FINE
    if not outcome.token:
        show({"officer_id": outcome.officer_id}, [done], as_json=as_json)
        return ExitCode.FINE
    code = DeskCode(
        address=desk or profile.desk,
        party=profile.officer.party,
        token=outcome.token,
        ca_key_sha256=reply.ca_key_sha256,
    )
    return show_code(outcome.officer_id, code, expires=outcome.expires, as_json=as_json)


def show_code(officer_id: str, code: DeskCode, *, expires: int, as_json: bool) -> int:
    """Print a code once; it is kept nowhere."""
    written = encode_desk_code(code)
    document = {"officer_id": officer_id, "code": written, "expires": rfc3339(expires)}
    lines = [
        f"Give this to officer {officer_id}, in person; it is good once, until {clock(expires)}:",
        "",
        f"  gsp officers enrol {written} --to DIR",
    ]
    show(document, lines, as_json=as_json)
    return ExitCode.FINE

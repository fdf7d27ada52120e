"""What administrators say and hear, to protobuf and back. Strict and total: any bytes give a value or `Malformed`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from federation import limits
from federation.errors import Malformed
from federation.query.codes import Purpose
from federation.trust.entries import Authority, AuthorityKind
from federation.wire.strict import ascending, at_most, exactly, seconds, text, total
from node import limits as node_limits
from node.use_cases.administration import Outcome
from node.use_cases.administration_values import CertificateLine, InvitationWanted, OfficerLine, ProposalLine, Reply
from node.use_cases.officers import Officer, OfficerState, Proposal, Proposed, Use
from node.use_cases.rights import NEEDS, Grant, Right
from node.v1 import administration_pb2 as pb

ID_CHARACTERS_MAX: Final = 32
_HASH_BYTES: Final = 32
_MESSAGE_BYTES: Final = (0, 16)


def encode_authority(authority: Authority) -> pb.CompetentAuthority:
    return pb.CompetentAuthority(kind=authority.kind, name=authority.name)


@total
def decode_authority(message: pb.CompetentAuthority) -> Authority:
    return Authority(kind=AuthorityKind(message.kind), name=_name(message.name))


def encode_grants(grants: Iterable[Grant]) -> list[pb.GrantView]:
    return [
        pb.GrantView(right=one.right, authority=encode_authority(one.authority), purposes=sorted(one.purposes)) for one in grants
    ]


@total
def decode_grants(messages: Iterable[pb.GrantView]) -> tuple[Grant, ...]:
    given = list(messages)
    at_most(len(given), node_limits.GRANTS_PER_OFFICER_MAX, "grants")
    return tuple(
        Grant(
            right=Right(one.right),
            authority=decode_authority(one.authority),
            purposes=frozenset(Purpose(word) for word in ascending(one.purposes, "purposes")),
        )
        for one in given
    )


def encode_invitation(wanted: InvitationWanted) -> pb.InviteRequest:
    return pb.InviteRequest(
        name=wanted.name,
        authority=encode_authority(wanted.authority),
        life_s=wanted.life_s,
        grants=encode_grants(wanted.grants),
    )


@total
def decode_invitation(message: pb.InviteRequest) -> InvitationWanted:
    return InvitationWanted(
        name=_name(message.name),
        authority=decode_authority(message.authority),
        life_s=message.life_s,
        grants=decode_grants(message.grants),
    )


def encode_outcome(outcome: Outcome, *, ca_key_sha256: bytes) -> pb.Outcome:
    return pb.Outcome(
        officer_id=outcome.officer_id,
        proposal_id=outcome.proposal_id,
        token=outcome.token,
        expires=outcome.expires,
        ca_key_sha256=ca_key_sha256 if outcome.token else b"",
    )


@total
def decode_outcome(message: pb.Outcome) -> Reply:
    if message.token:
        exactly(message.token, limits.JOIN_TOKEN_BYTES, "a token")
        exactly(message.ca_key_sha256, _HASH_BYTES, "the hash of a key")
    outcome = Outcome(
        officer_id=identifier(message.officer_id),
        proposal_id=identifier(message.proposal_id),
        token=message.token,
        expires=seconds(message.expires),
    )
    return Reply(outcome=outcome, ca_key_sha256=message.ca_key_sha256)


def encode_officer(officer: Officer) -> pb.OfficerView:
    return pb.OfficerView(
        officer_id=officer.officer_id,
        name=officer.name,
        authority=encode_authority(officer.authority),
        state=officer.state,
        created=officer.created,
        life_s=officer.life_s,
        grants=encode_grants(officer.grants),
        certificates=[
            pb.CertificateView(hash=one.hash, not_after=one.not_after, withdrawn=one.withdrawn or 0)
            for one in officer.certificates
        ],
    )


@total
def decode_officer(message: pb.OfficerView) -> OfficerLine:
    at_most(len(message.certificates), node_limits.CERTIFICATES_PER_OFFICER_MAX, "certificates")
    return OfficerLine(
        officer_id=identifier(message.officer_id),
        name=_name(message.name),
        authority=decode_authority(message.authority),
        state=OfficerState(message.state),
        created=seconds(message.created),
        life_s=message.life_s,
        grants=decode_grants(message.grants),
        certificates=tuple(
            CertificateLine(
                hash=exactly(one.hash, _HASH_BYTES, "the hash of a certificate"),
                not_after=seconds(one.not_after),
                withdrawn=seconds(one.withdrawn) or None,
            )
            for one in message.certificates
        ),
    )


@total
def decode_officers(message: pb.OfficersReply) -> tuple[OfficerLine, ...]:
    at_most(len(message.officers), limits.PAGE_ROWS_MAX, "officers")
    return tuple(decode_officer(one) for one in message.officers)


def encode_proposals(proposals: Iterable[Proposal]) -> pb.ProposalsReply:
    return pb.ProposalsReply(
        proposals=[
            pb.ProposalView(
                proposal_id=one.proposal_id,
                kind=one.kind,
                proposer=one.proposer,
                created=one.created,
                officer=encode_officer(one.officer),
                grants=encode_grants(one.grants),
            )
            for one in proposals
        ]
    )


@total
def decode_proposals(message: pb.ProposalsReply) -> tuple[ProposalLine, ...]:
    at_most(len(message.proposals), node_limits.PROPOSALS_MAX, "proposals")
    return tuple(
        ProposalLine(
            proposal_id=identifier(one.proposal_id),
            kind=Proposed(one.kind),
            proposer=identifier(one.proposer),
            created=seconds(one.created),
            officer=decode_officer(one.officer),
            grants=decode_grants(one.grants),
        )
        for one in message.proposals
    )


@total
def decode_right(message: pb.WithdrawRightRequest) -> tuple[str, Right, Authority | None]:
    authority = decode_authority(message.authority) if message.HasField("authority") else None
    return identifier(message.officer_id), Right(message.right), authority


@total
def decode_page(message: pb.UsedRequest) -> tuple[int, int, str]:
    """Unix seconds before which the lines lie, how many are wanted, and of whom."""
    at_most(message.rows, limits.PAGE_ROWS_MAX, "rows")
    return seconds(message.before), message.rows, identifier(message.officer_id)


def encode_uses(uses: Iterable[Use]) -> pb.UsedReply:
    return pb.UsedReply(
        uses=[
            pb.UseView(
                at=one.at,
                officer_id=one.officer_id,
                act=one.act,
                right=one.right,
                message_id=one.message_id,
                subject=one.subject,
                words=one.words,
            )
            for one in uses
        ]
    )


@total
def decode_uses(message: pb.UsedReply) -> tuple[Use, ...]:
    at_most(len(message.uses), limits.PAGE_ROWS_MAX, "lines")
    return tuple(_use(one) for one in message.uses)


def _use(message: pb.UseView) -> Use:
    if message.act not in {*NEEDS, "enrol"} or len(message.message_id) not in _MESSAGE_BYTES:
        raise Malformed("a line of the record tells of something that cannot be done")
    return Use(
        at=seconds(message.at),
        officer_id=identifier(message.officer_id),
        act=message.act,
        right=Right(message.right) if message.right else "",
        message_id=message.message_id,
        subject=identifier(message.subject),
        words=text(message.words, node_limits.GRANTS_PER_OFFICER_MAX * 2 * limits.NAME_CHARACTERS_MAX, "the words of a record"),
    )


def identifier(value: str) -> str:
    """An id of an officer or a proposal, or nothing."""
    if value and not (value.isascii() and value.isalnum() and value == value.lower()):
        raise Malformed("an id has small letters and digits")
    return text(value, ID_CHARACTERS_MAX, "an id")


def _name(value: str) -> str:
    return text(value, limits.NAME_CHARACTERS_MAX, "a name")

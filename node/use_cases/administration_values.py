"""What an administrator's program sends and sees: officers without the bytes that stay at the node."""

from __future__ import annotations

from dataclasses import dataclass, field

from federation.trust.entries import Authority
from node.use_cases.administration import Outcome
from node.use_cases.officers import OfficerState, Proposed
from node.use_cases.rights import Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationWanted:
    """A new officer as an administrator describes one.

    Attributes:
        name: the person's.
        life_s: how long each certificate is to live.
    """

    name: str = field(repr=False)
    authority: Authority
    life_s: int
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What became of an act.

    Attributes:
        ca_key_sha256: for the code, when there is a token.
    """

    outcome: Outcome
    ca_key_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateLine:
    """One certificate of an officer.

    Attributes:
        hash: SHA-256 of it.
        withdrawn: since when it is worth nothing; None while it is good.
    """

    hash: bytes
    not_after: int
    withdrawn: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerLine:
    """One officer, as an administrator sees one."""

    officer_id: str
    name: str = field(repr=False)
    authority: Authority
    state: OfficerState
    created: int
    life_s: int
    grants: tuple[Grant, ...]
    certificates: tuple[CertificateLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalLine:
    """What waits for a second administrator."""

    proposal_id: str
    kind: Proposed
    proposer: str
    created: int
    officer: OfficerLine
    grants: tuple[Grant, ...]

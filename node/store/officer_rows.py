"""Rows of `officers-v1.sql` as values, and values as rows, in the order of the tables' columns.

Which rows are read and written when is left to `node.store.officers`; this knows no connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from federation.query.codes import Purpose
from federation.trust.entries import Authority, AuthorityKind
from node.store.vault import Vault
from node.use_cases.officers import (
    Officer,
    OfficerCertificate,
    OfficerInvitation,
    OfficerState,
    Proposal,
    ProposalState,
    Proposed,
    Use,
)
from node.use_cases.rights import Grant, Right

Row: TypeAlias = Sequence[Any]

OFFICER_COLUMNS: Final = (
    "sealed_name",
    "authority_kind",
    "authority_name",
    "state",
    "created",
    "life_s",
    "token_hash",
    "token_expires",
    "used_key",
    "used_certificate",
)
"""Of `officer`, without its key."""


def officer_row(one: Officer, vault: Vault) -> Row:
    """A row of `officer`."""
    invitation = one.invitation
    return (
        one.officer_id,
        vault.seal(one.name.encode(), column="officer.sealed_name", row=one.officer_id.encode()),
        one.authority.kind,
        one.authority.name,
        one.state,
        one.created,
        one.life_s,
        *(
            (invitation.token_hash, invitation.expires, invitation.public_key, invitation.certificate)
            if invitation is not None
            else (None, None, None, None)
        ),
    )


def officer(row: Row, *, certificates: Sequence[Row], held: Sequence[Row], vault: Vault) -> Officer:
    """Back from a row of `officer` and what belongs to it."""
    officer_id, sealed_name, kind, name, state, created, life_s, token_hash, expires, used_key, used_certificate = row
    return Officer(
        officer_id=officer_id,
        name=vault.open(sealed_name, column="officer.sealed_name", row=officer_id.encode()).decode(),
        authority=Authority(kind=AuthorityKind(kind), name=name),
        state=OfficerState(state),
        created=created,
        life_s=life_s,
        grants=tuple(_grant(one) for one in held),
        certificates=tuple(
            OfficerCertificate(der=der, not_after=not_after, withdrawn=withdrawn) for der, not_after, withdrawn in certificates
        ),
        invitation=OfficerInvitation(token_hash=token_hash, expires=expires, public_key=used_key, certificate=used_certificate)
        if token_hash is not None
        else None,
    )


def certificate_rows(one: Officer) -> Iterator[Row]:
    """Rows of `certificate`."""
    for place, certificate in enumerate(one.certificates):
        yield certificate.hash, one.officer_id, place, certificate.der, certificate.not_after, certificate.withdrawn


def held_rows(one: Officer) -> Iterator[Row]:
    """Rows of `held`."""
    for grant in one.grants:
        yield one.officer_id, grant.right, grant.authority.kind, grant.authority.name, " ".join(sorted(grant.purposes))


def _grant(row: Row) -> Grant:
    right, kind, name, purposes = row
    authority = Authority(kind=AuthorityKind(kind), name=name)
    return Grant(right=Right(right), authority=authority, purposes=frozenset(Purpose(one) for one in purposes.split()))


class _Proposed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sealed of a proposal. Of the officer, what an invitation needs: grants and names."""

    officer: Officer
    grants: tuple[Grant, ...]


def proposal_row(one: Proposal, vault: Vault) -> Row:
    """A row of `proposal`."""
    content = msgspec.json.encode(_Proposed(officer=one.officer, grants=one.grants))
    sealed = vault.seal(content, column="proposal.sealed", row=one.proposal_id.encode())
    return (one.proposal_id, one.kind, one.proposer, one.created, one.state, one.decided_by, sealed)


def proposal(row: Row, vault: Vault) -> Proposal:
    """Back from a row of `proposal`."""
    proposal_id, kind, proposer, created, state, decided_by, sealed = row
    content = msgspec.json.decode(vault.open(sealed, column="proposal.sealed", row=proposal_id.encode()), type=_Proposed)
    return Proposal(
        proposal_id=proposal_id,
        kind=Proposed(kind),
        proposer=proposer,
        created=created,
        officer=content.officer,
        grants=content.grants,
        state=ProposalState(state),
        decided_by=decided_by,
    )


def use_row(one: Use) -> Row:
    """A row of `used`, without the number of the line."""
    return (one.at, one.officer_id, one.act, one.right, one.message_id, one.subject, one.words)


def use(row: Row) -> Use:
    """Back from such a row."""
    at, officer_id, act, right, message_id, subject, words = row
    return Use(at=at, officer_id=officer_id, act=act, right=right, message_id=message_id, subject=subject, words=words)

"""The officers' store in memory, and officers to put into it. It can fail before and after taking effect, and accuses who breaks its
contract.
"""

from __future__ import annotations

from federation import limits
from federation.errors import Conflict, Misuse
from federation.identity import OfficerName
from federation.trust.chain import load_certificate, window_of
from federation.trust.entries import Authority, AuthorityKind
from node.use_cases.officers import (
    Officer,
    OfficerCertificate,
    OfficerChange,
    OfficerState,
    OfficerStore,
    Proposal,
    ProposalState,
    Use,
    all_rights,
)
from node.use_cases.rights import Grant
from tests.support.faults import Faults, may_fail
from tests.support.memory_stores import BrokenContract

CUSTOMS = Authority(kind=AuthorityKind.CUSTOMS, name="Customs")


class MemoryOfficers(OfficerStore):
    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults if faults is not None else Faults()
        self._officers: dict[str, Officer] = {}
        self._proposals: dict[str, Proposal] = {}
        self._uses: list[Use] = []

    def lies_there(self, *officers: Officer) -> None:
        """What a test finds in the store when it begins."""
        self._officers.update({one.officer_id: one for one in officers})

    @may_fail
    async def officer(self, officer_id: str) -> Officer | None:
        return self._officers.get(officer_id)

    @may_fail
    async def by_token(self, token_hash: bytes) -> Officer | None:
        return next(
            (one for one in self._officers.values() if one.invitation is not None and one.invitation.token_hash == token_hash),
            None,
        )

    @may_fail
    async def officers(self) -> tuple[Officer, ...]:
        return tuple(sorted(self._officers.values(), key=lambda one: (one.created, one.officer_id)))

    @may_fail
    async def proposals(self) -> tuple[Proposal, ...]:
        waiting = (one for one in self._proposals.values() if one.state is ProposalState.OPEN)
        return tuple(sorted(waiting, key=lambda one: (one.created, one.proposal_id)))

    @may_fail
    async def commit(self, change: OfficerChange) -> None:
        for old, new in change.officers:
            if old is not None and old.officer_id != new.officer_id:
                raise BrokenContract("an officer keeps the id")
            if self._officers.get(new.officer_id) not in (old, new):
                raise Conflict("somebody else changed this officer meanwhile")
            if new.invitation is not None and any(
                one.invitation is not None and one.invitation.token_hash == new.invitation.token_hash
                for one in self._officers.values()
                if one.officer_id != new.officer_id
            ):
                raise Misuse("one token is one officer's")
        for before, after in change.proposals:
            if self._proposals.get(after.proposal_id) not in (before, after):
                raise Conflict("somebody else decided this meanwhile")
        self._officers.update({new.officer_id: new for _, new in change.officers})
        self._proposals.update({new.proposal_id: new for _, new in change.proposals})
        self._uses.extend(change.uses)

    @may_fail
    async def uses(self, *, before: int, rows: int, officer_id: str | None = None) -> tuple[Use, ...]:
        found = (
            one
            for one in reversed(self._uses)
            if one.at < before and (officer_id is None or officer_id in {one.officer_id, one.subject})
        )
        return tuple(found)[:rows]


def registered(
    name: OfficerName, *certificates: bytes, grants: tuple[Grant, ...] | None = None, person: str = "Ada Example"
) -> Officer:
    """An active officer with these certificates, and with all rights unless a test says otherwise."""
    windows = [window_of(load_certificate(der)) for der in certificates]
    return Officer(
        officer_id=name.officer_id,
        name=person,
        authority=CUSTOMS,
        state=OfficerState.ACTIVE,
        created=min((window.not_before for window in windows), default=0),
        life_s=limits.OFFICER_CERTIFICATE_LIFE_S,
        grants=all_rights(CUSTOMS) if grants is None else grants,
        certificates=tuple(
            OfficerCertificate(der=der, not_after=window.not_after) for der, window in zip(certificates, windows, strict=True)
        ),
    )

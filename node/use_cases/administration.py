"""The officers' administration: who is invited, who holds what, and what one administrator cannot do alone.

    adding to others             at once; with four eyes, the sensitive rights wait for a second administrator
    adding to oneself            always waits for a second administrator
    a new code for somebody      is power over that officer: it counts as giving away what the officer holds
    withdrawing                  always at once; never the last administrator who can act

With four eyes the one who approves gets the code and hands it over, so that nobody who invents an officer can also be it.
The operator with the keystore's passphrase stands outside of this (`by_operator`): the way back when no administrator is left.
Every change and its line of the record are one commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from federation import limits
from federation.errors import Conflict, Forbidden, NotFound
from federation.identity import OfficerName, PartyId
from federation.trust.desk_code import desk_token_hash
from federation.trust.entries import Authority
from node import limits as node_limits
from node.use_cases.entitlement import Entitlement
from node.use_cases.officers import (
    Officer,
    OfficerChange,
    OfficerInvitation,
    OfficerState,
    OfficerStore,
    Proposal,
    ProposalState,
    Proposed,
    Use,
    granted,
    invited,
    refuse_withdrawn,
    withdrawn,
    without_right,
)
from node.use_cases.rights import SENSITIVE, Grant, Right, add_grant
from node.use_cases.world import World

OFFICER_ID_BYTES = 8
PROPOSAL_ID_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an act.

    Attributes:
        officer_id: whom it was about.
        proposal_id: under which it waits for a second administrator; empty when it is done.
        token: of the code to hand over; empty when there is none.
        expires: until when that is good; 0 when there is none.
    """

    officer_id: str
    proposal_id: str = ""
    token: bytes = field(default=b"", repr=False)
    expires: int = 0


class Administration:
    """What administrators do. The caller has verified the officer; the right is checked here, at each call.

    Args:
        four_eyes: whether the sensitive rights need two administrators.
    """

    def __init__(self, *, party: PartyId, store: OfficerStore, world: World, entitlement: Entitlement, four_eyes: bool) -> None:
        self._party = party
        self._store = store
        self._world = world
        self._entitlement = entitlement
        self._four_eyes = four_eyes
        self._one_at_a_time = asyncio.Lock()  # or two administrators withdraw each other, and nobody is left

    # --- adding ---------------------------------------------------------------------------------------------------------------

    async def invite(
        self, actor: OfficerName, *, name: str, authority: Authority, life_s: int, grants: Sequence[Grant]
    ) -> Outcome:
        """Invite a new officer.

        Raises:
            Forbidden: the caller is no administrator.
            InvalidInput: a value cannot be.
            Conflict: there are too many officers.
        """
        async with self._one_at_a_time:
            doer = await self._entitlement.require(actor, "invite")
            officer = self._new(name=name, authority=authority, life_s=life_s, grants=grants)
            if len(await self._store.officers()) >= node_limits.OFFICERS_MAX:
                raise Conflict("this Party has as many officers as a node keeps")
            if self._needs_second(doer, officer.officer_id, officer.grants):
                return await self._propose(doer, Proposed.INVITE, officer, officer.grants)
            return await self._invite(doer.officer_id, None, officer, "invite")

    async def reenrol(self, actor: OfficerName, officer_id: str) -> Outcome:
        """Give an officer a new code; the certificates that there are end now.

        Raises:
            Forbidden, NotFound: as it says.
            Conflict: the officer was withdrawn, or is the last administrator.
        """
        async with self._one_at_a_time:
            doer = await self._entitlement.require(actor, "reenrol")
            officer = await self._known(officer_id)
            refuse_withdrawn(officer)
            if self._needs_second(doer, officer_id, officer.grants):
                return await self._propose(doer, Proposed.REENROL, officer, ())
            await self._refuse_last(officer)
            return await self._invite(doer.officer_id, officer, officer, "reenrol")

    async def grant(self, actor: OfficerName, officer_id: str, grants: Sequence[Grant]) -> Outcome:
        """Grant rights.

        Raises:
            Forbidden, NotFound: as it says.
            Conflict: the officer was withdrawn.
        """
        async with self._one_at_a_time:
            doer = await self._entitlement.require(actor, "grant")
            officer = await self._known(officer_id)
            more = granted(officer, grants)
            if self._needs_second(doer, officer_id, grants):
                return await self._propose(doer, Proposed.GRANT, officer, tuple(grants))
            await self._store.commit(
                OfficerChange(officers=((officer, more),), uses=(self._use(doer.officer_id, "grant", officer_id, grants),))
            )
            return Outcome(officer_id=officer_id)

    def _needs_second(self, doer: Officer, officer_id: str, grants: Iterable[Grant]) -> bool:
        """Whether a second administrator has to agree: adding to oneself always, the sensitive rights with four eyes."""
        sensitive = any(grant.right in SENSITIVE for grant in grants)
        return officer_id == doer.officer_id or (self._four_eyes and sensitive)

    async def _propose(self, doer: Officer, kind: Proposed, officer: Officer, grants: tuple[Grant, ...]) -> Outcome:
        now = self._world.now()
        waiting = [one for one in await self._store.proposals() if now < one.expires]
        if len(waiting) >= node_limits.PROPOSALS_MAX:
            raise Conflict("too much waits for a second administrator", hint="decide something first: `gsp officers pending`")
        if kind is not Proposed.INVITE:  # what there is then is looked up when it is carried out
            officer = replace(officer, certificates=(), invitation=None)
        proposal = Proposal(
            proposal_id=self._world.entropy(PROPOSAL_ID_BYTES).hex(),
            kind=kind,
            proposer=doer.officer_id,
            created=now,
            officer=officer,
            grants=grants,
        )
        use = replace(
            self._use(doer.officer_id, kind, officer.officer_id, grants), words=f"proposed: {_words(grants)}".rstrip(": ")
        )
        await self._store.commit(OfficerChange(proposals=((None, proposal),), uses=(use,)))
        return Outcome(officer_id=officer.officer_id, proposal_id=proposal.proposal_id)

    # --- a second administrator -------------------------------------------------------------------------------------------------

    async def proposals(self, actor: OfficerName) -> tuple[Proposal, ...]:
        """What waits for a second administrator."""
        await self._entitlement.require(actor, "proposals")
        now = self._world.now()
        return tuple(one for one in await self._store.proposals() if now < one.expires)

    async def decide(self, actor: OfficerName, proposal_id: str, *, approve: bool) -> Outcome:
        """Approve or decline what another administrator proposed. Whoever proposed it may take it back.

        Raises:
            NotFound: nothing waits under that id.
            Forbidden: it is the caller's own proposal, or about the caller; or who proposed it is no administrator any more.
            Conflict: it is not possible any more.
        """
        async with self._one_at_a_time:
            doer = await self._entitlement.require(actor, "decide")
            now = self._world.now()
            proposal = next((one for one in await self._store.proposals() if one.proposal_id == proposal_id), None)
            if proposal is None or now >= proposal.expires:
                raise NotFound("nothing waits under that id", hint="`gsp officers pending` lists what does")
            state = ProposalState.APPROVED if approve else ProposalState.DECLINED
            decided = replace(proposal, state=state, decided_by=doer.officer_id)
            if not approve:
                use = Use(
                    at=now,
                    officer_id=doer.officer_id,
                    act="decide",
                    right=Right.ADMINISTER,
                    subject=proposal.officer.officer_id,
                    words="declined",
                )
                await self._store.commit(OfficerChange(proposals=((proposal, decided),), uses=(use,)))
                return Outcome(officer_id=proposal.officer.officer_id)
            await self._check_second(doer, proposal)
            return await self._carry_out(doer, proposal, decided)

    async def _check_second(self, doer: Officer, proposal: Proposal) -> None:
        if doer.officer_id in {proposal.proposer, proposal.officer.officer_id}:
            raise Forbidden(
                "nobody approves the own proposal, or one about oneself", hint="another administrator of your Party has to"
            )
        proposer = await self._store.officer(proposal.proposer)
        if proposer is None or proposer.state is not OfficerState.ACTIVE or not proposer.holds(Right.ADMINISTER):
            raise Forbidden("who proposed this is no administrator any more", hint="decline it, and propose it yourself")

    async def _carry_out(self, doer: Officer, proposal: Proposal, decided: Proposal) -> Outcome:
        """Do what was proposed, with what is known of the officer now."""
        done = (proposal, decided)
        if proposal.kind is Proposed.INVITE:
            return await self._invite(doer.officer_id, None, proposal.officer, "decide", done)
        officer = await self._known(proposal.officer.officer_id)
        if proposal.kind is Proposed.REENROL:
            refuse_withdrawn(officer)
            await self._refuse_last(officer)
            return await self._invite(doer.officer_id, officer, officer, "decide", done)
        use = self._use(doer.officer_id, "decide", officer.officer_id, proposal.grants)
        await self._store.commit(
            OfficerChange(officers=((officer, granted(officer, proposal.grants)),), proposals=(done,), uses=(use,))
        )
        return Outcome(officer_id=officer.officer_id)

    async def _invite(
        self, doer: str, old: Officer | None, officer: Officer, act: str, done: tuple[Proposal, Proposal] | None = None
    ) -> Outcome:
        token = self._world.entropy(limits.JOIN_TOKEN_BYTES)
        now = self._world.now()
        invitation = OfficerInvitation(
            token_hash=desk_token_hash(token, self._party), expires=now + node_limits.OFFICER_TOKEN_LIFE_S
        )
        change = OfficerChange(
            officers=((old, invited(officer, invitation, now=now)),),
            proposals=(done,) if done is not None else (),
            uses=(self._use(doer, act, officer.officer_id, officer.grants if old is None else ()),),
        )
        await self._store.commit(change)
        return Outcome(officer_id=officer.officer_id, token=token, expires=invitation.expires)

    def _new(self, *, name: str, authority: Authority, life_s: int, grants: Sequence[Grant]) -> Officer:
        held: tuple[Grant, ...] = ()
        for grant in grants:
            held = add_grant(held, grant)
        return Officer(
            officer_id=self._world.entropy(OFFICER_ID_BYTES).hex(),
            name=name,
            authority=authority,
            state=OfficerState.INVITED,
            created=self._world.now(),
            life_s=life_s,
            grants=held,
        )

    # --- withdrawing ------------------------------------------------------------------------------------------------------------

    async def withdraw_right(self, actor: OfficerName, officer_id: str, right: Right, authority: Authority | None) -> None:
        """Withdraw one right, at once.

        Raises:
            Forbidden, NotFound: as it says.
            Conflict: the officer does not hold it, or would be the last administrator.
        """
        async with self._one_at_a_time:
            doer = await self._entitlement.require(actor, "withdraw_right")
            officer = await self._known(officer_id)
            less = without_right(officer, right, authority)
            if not less.holds(Right.ADMINISTER):
                await self._refuse_last(officer)
            words = f"{right} for {authority.kind} {authority.name}" if authority is not None else str(right)
            use = replace(self._use(doer.officer_id, "withdraw_right", officer_id, ()), words=words)
            await self._store.commit(OfficerChange(officers=((officer, less),), uses=(use,)))

    async def withdraw_officer(self, actor: OfficerName, officer_id: str) -> None:
        """Withdraw an officer, at once and for ever.

        Raises:
            Forbidden, NotFound: as it says.
            Conflict: it is the last administrator.
        """
        async with self._one_at_a_time:
            doer = await self._entitlement.require(actor, "withdraw_officer")
            officer = await self._known(officer_id)
            await self._refuse_last(officer)
            use = self._use(doer.officer_id, "withdraw_officer", officer_id, ())
            await self._store.commit(OfficerChange(officers=((officer, withdrawn(officer, now=self._world.now())),), uses=(use,)))

    async def _refuse_last(self, officer: Officer) -> None:
        """An administrator who can act may go only while another one can."""
        now = self._world.clock.now()
        if not officer.holds(Right.ADMINISTER) or not officer.can_act(now):
            return
        others = [one for one in await self._store.officers() if one.officer_id != officer.officer_id]
        if not any(one.holds(Right.ADMINISTER) and one.can_act(now) for one in others):
            raise Conflict(
                "this is the last administrator who can act",
                hint="let another one enrol first; when the key is lost: `gsp officers invite --home DIR` on the node's own machine",
            )

    # --- looking ----------------------------------------------------------------------------------------------------------------

    async def officers(self, actor: OfficerName, *, after: str) -> tuple[Officer, ...]:
        """The next page of everybody, with what each holds; the first one when `after` is empty."""
        await self._entitlement.require(actor, "officers")
        everybody = await self._store.officers()
        start = next((place for place, one in enumerate(everybody, start=1) if one.officer_id == after), 0)
        return everybody[start : start + limits.PAGE_ROWS_MAX]

    async def officer(self, actor: OfficerName, officer_id: str) -> Officer:
        """One officer; with an empty id the caller, who needs no right for that.

        Raises:
            Forbidden, NotFound: as it says.
        """
        if not officer_id:
            return await self._entitlement.require(actor, "self")
        await self._entitlement.require(actor, "officer")
        return await self._known(officer_id)

    async def used(self, actor: OfficerName, *, before: int, rows: int, officer_id: str) -> tuple[Use, ...]:
        """The record, newest first; of one officer when there is an id."""
        await self._entitlement.require(actor, "used")
        return await self._store.uses(before=before, rows=rows, officer_id=officer_id or None)

    async def _known(self, officer_id: str) -> Officer:
        officer = await self._store.officer(officer_id)
        if officer is None:
            raise NotFound("no officer here has that id", hint="`gsp officers list` shows them")
        return officer

    def _use(self, doer: str, act: str, subject: str, grants: Iterable[Grant]) -> Use:
        right = Right.ADMINISTER if doer else ""
        return Use(at=self._world.now(), officer_id=doer, act=act, right=right, subject=subject, words=_words(grants))


def by_operator(officer: Officer, invitation: OfficerInvitation, *, now: int) -> OfficerChange:
    """What the operator with the keystore's passphrase may do when no administrator can: invite one. The record says so."""
    words = f"by the operator: {_words(officer.grants)}"
    use = Use(at=now, officer_id="", act="invite", subject=officer.officer_id, words=words)
    return OfficerChange(officers=((None, invited(officer, invitation, now=now)),), uses=(use,))


def _words(grants: Iterable[Grant]) -> str:
    return "; ".join(grant.words for grant in grants)

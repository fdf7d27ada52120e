"""Who may do what at this moment: asked at every call, answered from the store, so that a withdrawal holds at the next call.

A use of a right is written down before it has an effect. Where the table of rights is: `rights`.
"""

from __future__ import annotations

from federation.errors import Forbidden
from federation.identity import MessageId, OfficerName, PartyId
from federation.query.codes import Purpose
from node import limits as node_limits
from node.use_cases.officers import Officer, OfficerChange, OfficerState, OfficerStore, Use, unknown_certificate
from node.use_cases.rights import Right, right_for
from node.use_cases.world import World

_DAY_S = 86_400


class Entitlement:
    """Says yes or no, and keeps the record of use."""

    def __init__(self, *, party: PartyId, store: OfficerStore, world: World) -> None:
        self._party = party
        self._store = store
        self._world = world
        self._told: dict[tuple[str, str, bytes], int] = {}

    async def standing(self, officer: OfficerName, certificate: bytes) -> None:
        """Let pass an active officer with a certificate that this node made and that was not withdrawn.

        Raises:
            Forbidden: anybody else.
            StoreUnavailable: it cannot be said now.
        """
        known = await self._store.officer(officer.officer_id) if officer.party == self._party else None
        if known is None:
            raise unknown_certificate()
        known.check_standing(certificate)

    async def require(
        self, officer: OfficerName, act: str, *, purpose: Purpose | None = None, message_id: MessageId | None = None
    ) -> Officer:
        """Let pass an officer who may do this now. What is about one message is recorded, once a day for each.

        Args:
            officer: verified by the caller.
            act: the method, as `rights.NEEDS` has it.
            purpose: of the question that it is about.
            message_id: what it is about.

        Raises:
            Forbidden: another Party's, not active, or without the right.
            StoreUnavailable: it cannot be said or recorded now.
        """
        if officer.party != self._party:
            raise Forbidden("the desk serves the officers of its own Party")
        known = await self._store.officer(officer.officer_id)
        if known is None:
            raise unknown_certificate()
        if known.state is not OfficerState.ACTIVE:
            raise Forbidden("this officer may not use the desk any more", hint="ask an administrator of your Party")
        right = right_for(act, known.grants, purpose=purpose)
        if message_id is not None and right is not None:
            await self._record(known, act, right, message_id)
        return known

    async def note(self, officer: Officer, act: str, words: str) -> None:
        """Write down a use that is about no one message, each time.

        Args:
            officer: whom `require` let pass.
            act: the method, as `rights.NEEDS` has it.
            words: what it was about; no person, no code.

        Raises:
            StoreUnavailable: it cannot be recorded now.
        """
        right = right_for(act, officer.grants, purpose=None)
        line = Use(at=self._world.now(), officer_id=officer.officer_id, act=act, right=str(right or ""), words=words)
        await self._store.commit(OfficerChange(uses=(line,)))

    async def _record(self, officer: Officer, act: str, right: Right, message_id: MessageId) -> None:
        now = self._world.now()
        use = (officer.officer_id, act, bytes(message_id))
        if self._told.get(use) == now // _DAY_S:
            return
        line = Use(at=now, officer_id=officer.officer_id, act=act, right=right, message_id=message_id)
        await self._store.commit(OfficerChange(uses=(line,)))
        if len(self._told) >= node_limits.USES_TOLD_MAX:
            del self._told[next(iter(self._told))]
        self._told[use] = now // _DAY_S

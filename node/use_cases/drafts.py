"""What the node has prepared for officers, until they sign it.

A draft lives in memory and for a few minutes: nothing has been said yet, so nothing is lost with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from federation import limits
from federation.envelope.header import Statement
from federation.envelope.seal import SALT_BYTES, Inner
from federation.errors import Overloaded
from federation.identity import MessageId, OfficerName
from federation.trust import keys
from node.use_cases.desk_values import Prepared
from node.use_cases.world import World


@dataclass(slots=True, kw_only=True)
class Draft:
    """A message that waits for the officer's signature.

    Attributes:
        public_key: of the officer for whom it was prepared.
    """

    prepared: Prepared
    statement: Statement
    public_key: bytes


DraftType = TypeVar("DraftType", bound=Draft)


class Drafts(Generic[DraftType]):
    """Drafts of one kind, by the id of the message to be."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._drafts: dict[MessageId, DraftType] = {}

    def keep(self, draft: DraftType) -> None:
        """Keep it until it is dropped or too old. Of one officer's only the newest are kept: whoever prepares without end is in
        nobody's way but the own.

        Raises:
            Overloaded: too many wait.
        """
        oldest = self._world.now() - limits.DRAFT_LIFE_S
        self._drafts = {key: one for key, one in self._drafts.items() if one.statement.created > oldest}
        self._make_room(draft)
        if len(self._drafts) >= limits.DRAFTS_MAX:
            raise Overloaded("too many prepared messages wait for a signature")
        self._drafts[draft.prepared.message_id] = draft

    def _make_room(self, draft: DraftType) -> None:
        own = [one for one in self._drafts.values() if one.statement.officer_id == draft.statement.officer_id]
        size = len(draft.prepared.body) + sum(len(one.prepared.body) for one in own)
        while own and (len(own) >= limits.DRAFTS_PER_OFFICER_MAX or size > limits.DRAFT_BYTES_PER_OFFICER_MAX):
            oldest, *own = own
            size -= len(oldest.prepared.body)
            self.drop(oldest.prepared.message_id)

    def of(self, officer: OfficerName, message_id: MessageId) -> DraftType | None:
        """What was prepared under this id for this officer."""
        draft = self._drafts.get(message_id)
        return draft if draft is not None and draft.statement.officer_id == officer.officer_id else None

    def drop(self, message_id: MessageId) -> None:
        """Forget it."""
        self._drafts.pop(message_id, None)

    def signed(self, draft: DraftType, signature: bytes) -> Inner:
        """What is sealed of a draft, with the officer's signature and a fresh salt.

        Raises:
            Unauthentic: it is not that officer's signature over the statement that was prepared.
        """
        statement = draft.prepared.statement
        keys.verify(public_key=draft.public_key, message=keys.officer_message(statement), signature=signature)
        salt = self._world.entropy(SALT_BYTES)
        return Inner(statement=statement, statement_signature=signature, salt=salt, body=draft.prepared.body)

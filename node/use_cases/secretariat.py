"""How the Secretariat lets Parties in. It orders and admits; it authors for nobody. The log itself is in `log`.

It holds the log key and the issuing CA, and neither lets it speak for a Party: an entry that its authors did not sign is refused
before it is logged, and by every other node if it were logged all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from federation import limits
from federation.boundary.directory import join_signatures
from federation.errors import Conflict, Forbidden, NotFound, Overloaded, Unauthentic, UnknownParty
from federation.identity import PartyId
from federation.ports import Enrolment, EnrolmentStore
from federation.trust import directory, keys
from federation.trust.enrolment import Invitation, Step, Use, check_invitation, check_token, request_hash
from federation.trust.entries import Admit, EntryKind, Signature
from federation.trust.fingerprint import fingerprint
from federation.trust.issuing import Authority, issue_party_ca
from federation.trust.roster import Roster
from federation.wire.directory import decode_entry_body, encode_entry_body
from node.use_cases.log import Log
from node.use_cases.registry import Registry
from node.use_cases.registry_values import Admission, Application, EnrolmentState
from node.use_cases.standing import step_of
from node.use_cases.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An admission that waits for founders.

    Attributes:
        fingerprint: of `admit_body`, for reading aloud.
        admit_body: what founders sign.
    """

    party: PartyId
    fingerprint: str
    admit_body: bytes
    accepted: bool
    founders_signed: int
    founders_needed: int


class Admissions:
    """Invitations, and Parties on their way into the log. Every step can be repeated.

    Args:
        issuer: gives the CA that admits Parties now.
        node_ca: gives the CA of the Secretariat's node and whoever issued it, DER: what a newcomer cannot know when it is not the
            genesis entry's any more; else nothing.
    """

    def __init__(
        self,
        *,
        world: World,
        registry: Registry,
        log: Log,
        store: EnrolmentStore,
        issuer: Callable[[], Authority],
        directory_endpoint: str,
        genesis_leaf: bytes,
        node_ca: Callable[[], tuple[bytes, bytes]] = lambda: (b"", b""),
    ) -> None:
        self._world = world
        self._registry = registry
        self._log = log
        self._store = store
        self._issuer = issuer
        self._directory_endpoint = directory_endpoint
        self._genesis_leaf = genesis_leaf
        self._node_ca = node_ca
        self._stepping = asyncio.Lock()
        """One step at a time: a founder's signature must not be lost because the Party signs in the same moment."""

    async def enrol(self, token: bytes, application: Application) -> Admission:
        """Issue the Party CA and the entry to be signed. The token is used up, durably, before anything is issued.

        Raises:
            Forbidden, Conflict, DeadlinePassed: as `check_invitation`.
            Malformed, Unauthentic: the keys or the request for the CA cannot serve.
        """
        async with self._stepping:
            return await self._enrol(token, application)

    async def _enrol(self, token: bytes, application: Application) -> Admission:
        known = await self._store.enrolment(application.party)
        request = request_hash(
            csr=application.party_ca_request,
            party_key=application.party_key,
            next_key_hash=application.next_key_hash,
        )
        now = self._world.now()
        invitation = _invitation(known) if known is not None else None
        use = check_invitation(invitation, token=token, party=application.party, request=request, now=now)
        assert known is not None  # or there had been no invitation
        keys.check_public_key(application.party_key)
        if use is Use.FIRST:
            used = replace(known, csr_hash=request)
            await self._store.swap(old=known, new=used)
            known = used
        if not known.admit_body:
            issued = replace(known, admit_body=self._issue(application, now=now))
            await self._store.swap(old=known, new=issued)
            known = issued
        node_ca, node_issuer = self._node_ca()
        return Admission(
            genesis_leaf=self._genesis_leaf,
            admit_body=known.admit_body,
            directory_endpoint=self._directory_endpoint,
            secretariat_ca=node_ca,
            secretariat_issuer=node_issuer,
        )

    def _issue(self, application: Application, *, now: int) -> bytes:
        issuer = self._issuer()
        certificate = issue_party_ca(
            application.party_ca_request,
            party=application.party,
            issuer=issuer,
            domain=self._registry.roster.genesis.domain,
            now=now,
            entropy=self._world.entropy,
        )
        return encode_entry_body(
            Admit(
                created=now,
                party=application.party,
                party_key=application.party_key,
                next_key_hash=application.next_key_hash,
                party_ca=certificate,
                issuing_ca=issuer.certificate,
            )
        )

    async def accept(self, token: bytes, party: PartyId, acceptance: Signature) -> EnrolmentState:
        """The Party signs the entry that admits it.

        Raises:
            Forbidden: not the holder of the invitation.
            Conflict: nothing was issued yet.
            Unauthentic: not the Party key's signature over that entry.
        """
        async with self._stepping:
            return await self._accept(token, party, acceptance)

    async def _accept(self, token: bytes, party: PartyId, acceptance: Signature) -> EnrolmentState:
        known = await self._known(token, party)
        if not known.admit_body:
            raise Conflict("this Party has not enrolled yet", hint="run `gsp party join` from the beginning")
        admit = _admit(known)
        if acceptance.public_key != admit.party_key:
            raise Unauthentic("the acceptance is signed by another key than the Party's")
        message = directory.entry_message(EntryKind.ADMIT, known.admit_body)
        keys.verify(public_key=acceptance.public_key, message=message, signature=acceptance.signature)
        if known.acceptance is None:
            accepted = replace(known, acceptance=acceptance)
            await self._store.swap(old=known, new=accepted)
            known = accepted
        return self._state(await self._try_to_log(known))

    async def status(self, token: bytes, party: PartyId) -> EnrolmentState:
        """How far the Party is. What a failing disk left undone is done now."""
        async with self._stepping:
            return self._state(await self._try_to_log(await self._known(token, party)))

    async def renew(self, leaf: bytes) -> int:
        """Log what a Party without a certificate hands in. Raises as `Log.hand_in`."""
        return await self._log.hand_in(leaf)

    async def approve(self, party: PartyId, signature: Signature) -> EnrolmentState:
        """A founder signs the entry after comparing the fingerprint out of band.

        Raises:
            NotFound: nothing of that Party waits.
            Forbidden: not a founder.
            Unauthentic: not that founder's signature over that entry.
        """
        async with self._stepping:
            return await self._approve(party, signature)

    async def _approve(self, party: PartyId, signature: Signature) -> EnrolmentState:
        known = await self._store.enrolment(party)
        if known is None or not known.admit_body:
            raise NotFound("no admission of that Party waits for founders")
        if signature.public_key not in self._registry.roster.governance.founders:
            raise Forbidden("only founders approve")
        message = directory.entry_message(EntryKind.ADMIT, known.admit_body)
        keys.verify(public_key=signature.public_key, message=message, signature=signature.signature)
        signed = {one.public_key for one in known.founder_signatures}  # a key can sign in many ways, and counts once
        if signature.public_key not in signed and known.logged_index is None:
            approved = replace(known, founder_signatures=(*known.founder_signatures, signature))
            await self._store.swap(old=known, new=approved)
            known = approved
        return self._state(await self._try_to_log(known))

    async def pending(self) -> tuple[Pending, ...]:
        """Admissions that wait, for the Secretariat's own eyes and the founders' sheets."""
        return tuple(self._pending(one) for one in await self._store.pending() if one.admit_body)

    async def _try_to_log(self, known: Enrolment) -> Enrolment:
        needed = self._registry.roster.governance.founders_threshold
        if known.logged_index is not None or known.acceptance is None or len(known.founder_signatures) < needed:
            return known
        leaf = join_signatures(EntryKind.ADMIT, known.admit_body, [known.acceptance, *known.founder_signatures])
        try:
            logged = replace(known, logged_index=await self._log.append(leaf))
        except Overloaded:
            return known  # witnesses are changing: it is tried again when somebody asks how far it is
        await self._store.swap(old=known, new=logged)
        return logged

    async def _known(self, token: bytes, party: PartyId) -> Enrolment:
        known = await self._store.enrolment(party)
        check_token(_invitation(known) if known is not None else None, token=token, party=party)
        assert known is not None  # or the check had refused
        return known

    def _state(self, known: Enrolment) -> EnrolmentState:
        """An admission that is logged and not published waits for witnesses: nobody else knows of it yet."""
        waiting = self._log.waiting_for(known.logged_index) if known.logged_index is not None else None
        needed = self._registry.roster.governance.founders_threshold
        return EnrolmentState(
            step=Step.APPROVED if waiting is not None else step_of(known),
            founders_signed=len(known.founder_signatures),
            founders_needed=needed,
            witnesses_cosigned=waiting.cosigned if waiting is not None else 0,
            witnesses_needed=waiting.needed if waiting is not None else 0,
        )

    def _pending(self, known: Enrolment) -> Pending:
        return Pending(
            party=known.party,
            fingerprint=fingerprint(known.admit_body),
            admit_body=known.admit_body,
            accepted=known.acceptance is not None,
            founders_signed=len(known.founder_signatures),
            founders_needed=self._registry.roster.governance.founders_threshold,
        )


async def write_invitation(
    store: EnrolmentStore, roster: Roster, *, party: PartyId, token_hash: bytes, created: int, anew: bool = False
) -> None:
    """Write down that a Party is invited; an earlier invitation that was not used is replaced.

    Args:
        store: of invitations.
        roster: whoever stands there is not invited a second time.
        party: who is invited.
        token_hash: of the invitation's token.
        created: Unix seconds.
        anew: give up what was begun with the earlier one: its machine is gone, or somebody else used the code. Nothing of it counts
            any more, and what founders signed of it is forgotten here; a founder's signature never admits other keys.

    Raises:
        Conflict: the Party has used an invitation already, or stands in the directory.
    """
    known, record = await store.enrolment(party), roster.parties.get(party)
    logged = known is not None and known.logged_index is not None
    if (record is not None and not record.withdrawn) or (record is None and logged):
        raise Conflict(f"{party} stands in the directory already", hint="its keys change by rotation or recovery, not by joining")
    if known is not None and known.csr_hash and not anew and known.logged_index is None and known.token_hash != token_hash:
        raise Conflict(
            f"{party} has used its invitation already",
            hint="it resumes with `gsp party join` on its own machine; if that is lost or was not the Party, invite it with --anew",
        )
    new = Enrolment(party=party, token_hash=token_hash, created=created, expires=created + limits.JOIN_TOKEN_LIFE_S)
    if known is None or known.token_hash != token_hash:  # a request that is carried out twice undoes nothing
        await store.swap(old=known, new=new)


def _invitation(known: Enrolment) -> Invitation:
    return Invitation(
        party=known.party,
        token_hash=known.token_hash,
        created=known.created,
        expires=known.expires,
        used_at=known.created if known.csr_hash else None,
        request_hash=known.csr_hash or None,
    )


def _admit(known: Enrolment) -> Admit:
    body = decode_entry_body(EntryKind.ADMIT, known.admit_body)
    if not isinstance(body, Admit):
        raise UnknownParty("the record of an admission holds something else")
    return body

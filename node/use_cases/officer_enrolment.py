"""How an officer gets a certificate: with a code once, and with the present key before the certificate ends.

The key is made on the officer's own machine and stays there; what comes here is the public half and a proof that somebody holds the
other. Names come from the record that the token leads to. A code is used up, durably, before anything is issued, and the same request
may be repeated: it gives the same certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from federation import limits
from federation.errors import InvalidInput
from federation.identity import NodeName, OfficerName
from federation.trust import keys
from federation.trust.chain import load_certificate, window_of
from federation.trust.desk_code import desk_token_hash
from node.use_cases.entitlement import Entitlement
from node.use_cases.officers import (
    Officer,
    OfficerCertificate,
    OfficerChange,
    OfficerState,
    OfficerStore,
    Use,
    certified,
    check_enrolment,
    enrolled,
    used_code,
)
from node.use_cases.world import World

Certify = Callable[[bytes, OfficerName, int], bytes]
"""Sign an officer's certificate with the Party CA: public key, name, life in seconds. Gives DER."""

RENEW_AGAIN_S: Final = 86_400
"""Whoever renews again within a day has lost the reply, and gets the same certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What an officer gets.

    Attributes:
        certificate: DER.
    """

    officer_id: str
    certificate: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What this node says of itself to whoever asks, before anything else.

    Attributes:
        domain: the treaty's.
        party_cas: DER of the Party's CAs that stand; one of them verifies this node's certificate, one the officer's.
    """

    domain: str
    party_cas: tuple[bytes, ...]


def enrolment_message(*, token: bytes, public_key: bytes, node: NodeName) -> bytes:
    """What an officer signs to show that the key is there: for this code and this node alone."""
    return keys.pae("officer-enrolment", token, public_key, node.dns.encode())


class OfficerEnrolment:
    """Issues certificates to officers."""

    def __init__(
        self,
        *,
        node: NodeName,
        store: OfficerStore,
        world: World,
        entitlement: Entitlement,
        certify: Certify,
        party_cas: Callable[[], Sequence[bytes]],
    ) -> None:
        assert node.party is not None  # the Secretariat has no officers
        self._party = node.party
        self._node = node
        self._store = store
        self._world = world
        self._entitlement = entitlement
        self._certify = certify
        self._party_cas = party_cas

    def greeting(self) -> Greeting:
        """The one thing that anybody may ask."""
        return Greeting(domain=self._node.domain, party_cas=tuple(self._party_cas()))

    async def enrol(self, *, token: bytes, public_key: bytes, proof: bytes) -> Enrolled:
        """Issue the certificate that a code is for.

        Raises:
            Unauthentic: the key is none, or the caller does not hold it. No code is used up.
            Forbidden, Conflict, DeadlinePassed: see `officers.check_enrolment`.
            StoreUnavailable: repeat it with the same key.
        """
        message = enrolment_message(token=token, public_key=public_key, node=self._node)
        keys.verify(public_key=keys.check_public_key(public_key), message=message, signature=proof)
        token_hash = desk_token_hash(token, self._party)
        known = await self._store.by_token(token_hash)
        officer = check_enrolment(known, token_hash=token_hash, public_key=public_key, now=self._world.now())
        assert officer.invitation is not None  # the token was found in it
        if officer.invitation.certificate:
            return Enrolled(officer_id=officer.officer_id, certificate=officer.invitation.certificate)
        if not officer.invitation.public_key:
            used = used_code(officer, public_key)
            await self._store.commit(OfficerChange(officers=((officer, used),)))
            officer = used
        certificate = self._issue(officer, public_key)
        now = self._world.now()
        await self._store.commit(
            OfficerChange(
                officers=((officer, enrolled(officer, certificate, now=now)),),
                uses=(Use(at=now, officer_id=officer.officer_id, act="enrol", subject=officer.officer_id),),
            )
        )
        return Enrolled(officer_id=officer.officer_id, certificate=certificate.der)

    async def renew(self, caller: OfficerName, certificate: bytes) -> Enrolled:
        """Issue the next certificate for the key of this one, with which the call was signed.

        Raises:
            Forbidden: the officer may not use the desk any more.
            Conflict: somebody else took a step meanwhile, or there are too many certificates.
            StoreUnavailable: repeat it.
        """
        officer = await self._entitlement.require(caller, "renew")
        officer.check_standing(certificate)
        public_key = certified_key(certificate)
        now = self._world.now()
        fresh = next((one for one in reversed(officer.certificates) if self._is_fresh(one, public_key, now)), None)
        if fresh is not None:
            return Enrolled(officer_id=officer.officer_id, certificate=fresh.der)
        issued = self._issue(officer, public_key)
        use = Use(at=now, officer_id=officer.officer_id, act="renew", subject=officer.officer_id)
        await self._store.commit(OfficerChange(officers=((officer, certified(officer, issued, now=now)),), uses=(use,)))
        return Enrolled(officer_id=officer.officer_id, certificate=issued.der)

    def _issue(self, officer: Officer, public_key: bytes) -> OfficerCertificate:
        assert officer.state is not OfficerState.WITHDRAWN  # looked at before
        name = OfficerName(party=self._party, officer_id=officer.officer_id, domain=self._node.domain)
        der = self._certify(public_key, name, officer.life_s)
        return OfficerCertificate(der=der, not_after=window_of(load_certificate(der)).not_after)

    @staticmethod
    def _is_fresh(one: OfficerCertificate, public_key: bytes, now: int) -> bool:
        """Made within the last day, for this key."""
        made = window_of(load_certificate(one.der)).not_before + limits.CERTIFICATE_BACKDATE_S
        return one.withdrawn is None and now - made < RENEW_AGAIN_S and certified_key(one.der) == public_key


def certified_key(certificate: bytes) -> bytes:
    """The Ed25519 key in an officer's certificate that was verified before.

    Raises:
        InvalidInput: it holds another kind.
    """
    key = load_certificate(certificate).public_key()
    raw = getattr(key, "public_bytes_raw", None)
    if raw is None:
        raise InvalidInput("this certificate is no officer's")
    return bytes(raw())

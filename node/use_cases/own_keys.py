"""Which of this Party's own keys counts at this moment. The accepted directory decides; what is at hand may be chosen.

A new signing key signs once its entry has stood for a minute, a new CA issues once it has stood for a week: then everybody knows it.
Officers' programs learn a new CA when they call, so the desk goes on under the CA before for as long as an officer's certificate lives.
When nothing else is left, because the one before was revoked or has ended, the new one is used at once. So a change that somebody
planned is noticed by nobody, and one that had to be made in a hurry works as soon as others have read of it.

A key that another process made is found when the directory lists it: then the keystore is read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from federation import limits
from federation.errors import Conflict, KeysUnavailable, NotFound
from federation.identity import PartyId
from federation.ports import Clock
from federation.trust.chain import load_certificate, window_of
from federation.trust.issuing import Authority
from federation.trust.keys import Signer
from federation.trust.roster import PartyRecord
from node.use_cases.desk_values import KeyPlace
from node.use_cases.registry import Registry

_NO_CA: Final = "every CA of this Party has ended or was revoked"
_ROTATE: Final = "stop the node, run `gsp keys rotate ca`, and start it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """A key that is here, without its secret half.

    Attributes:
        role: what it is for.
        name: what its place calls it.
        id: its public key, or of a CA SHA-256 of its SubjectPublicKeyInfo.
        retired: it was given up and is not used.
    """

    role: str
    name: str
    id: bytes
    place: KeyPlace
    retired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stands:
    """How long new keys stand in the directory before they are used, in seconds: until everybody has read of them."""

    ca_s: float = limits.CA_STANDS_S
    desk_s: float = limits.DESK_CA_STANDS_S
    signing_s: float = limits.SIGNING_STANDS_S


DEFAULT_STANDS: Final = Stands()


class HeldCa(Protocol):
    """A CA's key that is at hand, and its certificate when this Party made it for itself."""

    @property
    def key(self) -> ec.EllipticCurvePrivateKey:
        """In memory or behind a hardware module."""

    @property
    def certificate(self) -> bytes | None:
        """DER, or None when only the directory has it."""


class KeySource(Protocol):
    """Where keys are kept; oldest first, without those that were given up."""

    def signers(self, role: str) -> Sequence[Signer]:
        """All keys of a role that signs."""

    def cas(self) -> Sequence[HeldCa]:
        """All keys of the Party CA."""

    def inventory(self) -> Sequence[HeldKey]:
        """Every key, those that were given up as well."""

    def reload(self) -> None:
        """Take up what other processes have put since."""


def ca_key_hash(key: ec.EllipticCurvePrivateKey) -> bytes:
    """How the directory names a CA's key."""
    return sha256(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def began_at(certificate: bytes) -> int:
    """When a certificate was made: it says an hour earlier."""
    return window_of(load_certificate(certificate)).not_before + limits.CERTIFICATE_BACKDATE_S


class OwnKeys:
    """The Party's keys as they count now.

    Args:
        party: whose.
        registry: the accepted directory.
        clock: this node's.
        source: where the keys are.
        stands: how long new keys stand before they are used.
    """

    def __init__(
        self,
        *,
        party: PartyId,
        registry: Registry,
        clock: Clock,
        source: KeySource,
        stands: Stands = DEFAULT_STANDS,
    ) -> None:
        self._party = party
        self._registry = registry
        self._clock = clock
        self._source = source
        self.stands = stands
        self._looked_at_size = -1
        self._take_up()

    def _take_up(self) -> None:
        signers, cas, inventory = self._source.signers("signing"), self._source.cas(), self._source.inventory()
        self._signers = {signer.public_key: signer for signer in signers}
        self._cas = {ca_key_hash(held.key): held for held in cas}
        self.inventory = tuple(inventory)

    def refresh(self) -> None:
        """Read the keystore again: the command line may have made or given up a key.

        Raises:
            KeysUnavailable: a token is out of reach; what is known of it stays as it was.
        """
        self._source.reload()
        self._take_up()

    def _record(self) -> PartyRecord | None:
        return self._registry.roster.parties.get(self._party)

    def counts_from(self, certificate: bytes) -> int:
        """When a CA that followed another one begins to issue, unless that one is gone before."""
        return began_at(certificate) + int(self.stands.ca_s)

    def signer(self) -> Signer:
        """The key that signs now.

        Raises:
            NotFound: there is no signing key here.
        """
        for key in self._wanted():
            if key in self._signers:
                return self._signers[key]
            if self._looked_at_size != self._registry.roster.size:  # the directory has news, and so may the keystore
                self._looked_at_size = self._registry.roster.size
                with suppress(KeysUnavailable):
                    self.refresh()
                if key in self._signers:
                    return self._signers[key]
        if not self._signers:
            raise NotFound("the keystore holds no signing key that may be used", hint="make one with `gsp keys rotate signing`")
        return list(self._signers.values())[-1]  # its entry is on the way

    def _wanted(self) -> tuple[bytes, ...]:
        """What the directory lists for this node, in the order in which it is to be tried."""
        record = self._record()
        if record is None or record.node is None:
            return ()
        newest = record.nodes[-1].entry
        former = next((one.entry for one in reversed(record.nodes) if one.entry.signing_key != newest.signing_key), None)
        changed = next(one.entry.created for one in record.nodes if one.entry.signing_key == newest.signing_key)
        if (
            former is not None
            and former.node == newest.node
            and former.signing_key not in record.revoked
            and self._clock.now() < changed + self.stands.signing_s
        ):
            return former.signing_key, newest.signing_key
        return (newest.signing_key,)

    def announced_signing_key(self) -> bytes:
        """The key that this Party's node entry has to list: what stands there, if it is ours, and else the newest that is here."""
        record = self._record()
        listed = record.node.signing_key if record is not None and record.node is not None else None
        self.signer()
        return listed if listed in self._signers and listed is not None else next(reversed(self._signers))

    def ca(self) -> Authority:
        """The CA that issues now.

        Raises:
            Conflict: none is left that may.
        """
        return self._newest_that_stood(self.stands.ca_s)

    def desk_ca(self) -> Authority:
        """The CA under which the desk shows itself: the newest one that no officer's program can have missed.

        Raises:
            Conflict: none is left that may.
        """
        return self._newest_that_stood(self.stands.desk_s)

    def _newest_that_stood(self, stand_s: float) -> Authority:
        now = self._clock.now()
        record = self._record()
        usable = [one for one in (record.cas if record is not None else ()) if self._is_usable(one.key_hash, one.der, now)]
        stood = [
            one
            for one in usable
            if record is not None and (one.index == record.admit_index or began_at(one.der) + stand_s <= now)
        ]
        for one in (*reversed(stood), *reversed(usable)):
            return Authority(certificate=one.der, key=self._cas[one.key_hash].key)
        for key_hash, held in reversed(self._cas.items()):  # made and handed in, and not yet read here
            if held.certificate is not None and self._is_usable(key_hash, held.certificate, now):
                return Authority(certificate=held.certificate, key=held.key)
        raise Conflict(_NO_CA, hint=_ROTATE)

    def _is_usable(self, key_hash: bytes, certificate: bytes, now: float) -> bool:
        record = self._record()
        window = window_of(load_certificate(certificate))
        revoked = record is not None and key_hash in record.revoked
        return key_hash in self._cas and not revoked and window.not_before <= now < window.not_after


class StandingSigner:
    """A `Signer` that is always the one that counts: who holds it never has to know that the key has changed."""

    def __init__(self, own: OwnKeys) -> None:
        self._own = own

    @property
    def public_key(self) -> bytes:
        """Of the key that signs now."""
        return self._own.signer().public_key

    def sign(self, message: bytes) -> bytes:
        """With the key that signs now."""
        return self._own.signer().sign(message)

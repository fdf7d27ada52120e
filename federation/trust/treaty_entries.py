"""Statements of the directory log that the founders and the Secretariat write, as values. See `entries`."""

from __future__ import annotations

from dataclasses import dataclass

from federation.identity import PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """The first entry. It is known by its digest, which is configured at every node and never learnt.

    Attributes:
        created: Unix seconds.
        origin: the log's name, first line of every checkpoint (C2SP tlog-checkpoint).
        domain: DNS domain under which all certificates are named.
        log_key: Ed25519 key that signs checkpoints.
        root_certificate: DER of the treaty root.
        issuing_ca: DER of the CA between the root and the Party CAs.
        secretariat_ca: DER of the CA that anchors the Secretariat's node.
        founders: Ed25519 keys of the people of the treaty body.
        founders_threshold: how many of them have to sign together.
        witness_wait_s: a new witness counts after this time.
        recovery_wait_s: a recovery takes effect after this time.
        first_witnesses: Parties whose nodes count as witnesses from their first entry on.
        confirmations: how many other Parties have to confirm a Party before it is asked without a word.
    """

    created: int
    origin: str
    domain: str
    log_key: bytes
    root_certificate: bytes
    issuing_ca: bytes
    secretariat_ca: bytes
    founders: tuple[bytes, ...]
    founders_threshold: int
    witness_wait_s: int
    recovery_wait_s: int
    first_witnesses: tuple[PartyId, ...] = ()
    confirmations: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover:
    """New keys for a Party that has lost its own and the next one. It takes effect after the waiting time, unless it is vetoed.

    Attributes:
        serial: of the treaty.
        party_ca: DER, signed by itself; empty when the Party keeps its CA.
        reason: for everybody to read.
    """

    created: int
    serial: int
    party: PartyId
    party_key: bytes
    next_key_hash: bytes
    party_ca: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspend:
    """The founders stop a Party from exchanging; it still reads the directory. `serial` is the treaty's."""

    created: int
    serial: int
    party: PartyId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reinstate:
    """The founders end a suspension. `serial` is the treaty's."""

    created: int
    serial: int
    party: PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """The founders put a Party's node on witness duty, or take it off. `serial` is the treaty's."""

    created: int
    serial: int
    party: PartyId
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatyPolicy:
    """The founders change the numbers of the genesis entry. `serial` is the treaty's; the rest as in `Genesis`."""

    created: int
    serial: int
    witness_wait_s: int
    recovery_wait_s: int
    confirmations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Founders:
    """The founders hand over: signed by enough of the old ones and enough of the new ones. `serial` is the treaty's."""

    created: int
    serial: int
    founders: tuple[bytes, ...]
    threshold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateLog:
    """Checkpoints are signed by another key from here on: by founders and the new key. `serial` is the treaty's."""

    created: int
    serial: int
    log_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateIssuer:
    """Another CA admits Parties from here on.

    Attributes:
        serial: of the treaty.
        issuing_ca: DER, signed by the treaty root.
        secretariat_ca: DER, signed by that issuing CA; empty when the Secretariat keeps its CA.
        retire_former: nobody is admitted under the former one any more, nor is the Secretariat's former CA an anchor.
    """

    created: int
    serial: int
    issuing_ca: bytes
    secretariat_ca: bytes
    retire_former: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """A cosigned checkpoint of this log, written into it by the Secretariat: the only clock that the rules have.

    Attributes:
        checkpoint: a signed note.
    """

    created: int
    checkpoint: bytes

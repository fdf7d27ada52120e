"""The Secretariat's keys as they stand: which of those in its custody the directory lists now.

A successor of a key lies beside it under the next number (`log`, `log-2`). What counts is said by the directory, never here; so a
successor that was made and not yet announced changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from federation.errors import NotFound, Unauthentic
from federation.trust.certificate import read_party_ca
from federation.trust.chain import load_certificate, window_of
from federation.trust.issuing import Authority
from federation.trust.keys import Signer
from federation.trust.roster import Roster
from node.keystore import Custody
from node.use_cases.world import World


def next_log_key(custody: Custody, *, listed: bytes, world: World) -> Signer:
    """The log key that follows: one that is there and not listed, or a new one."""
    name = custody.names("log")[-1]
    if custody.signer(name).public_key == listed:
        name = custody.next_name("log")
        custody.make(name, world.entropy)
    return custody.signer(name)


def next_ca_name(custody: Custody, role: str, *, listed: bytes, world: World) -> str:
    """Name of the CA key that follows: one that is there and not listed, or a new one.

    Args:
        custody: of the Secretariat.
        role: `ca` or `issuing`.
        listed: DER of the newest certificate of that role in the directory.
        world: for entropy.
    """
    name = custody.names(role)[-1]
    if custody.authority_key(name).public_key() == load_certificate(listed).public_key():
        name = custody.next_name(role)
        custody.make(name, world.entropy)
    return name


def issuing_authority(custody: Custody, roster: Roster) -> Authority:
    """The CA that admits Parties: the newest one that the directory lists.

    Raises:
        NotFound: its key is not here.
    """
    return first_held(custody, "issuing", tuple(reversed(roster.governance.issuing_cas)))


def own_authority(custody: Custody, roster: Roster, *, now: float) -> Authority:
    """The CA of the Secretariat's own node: the oldest one that stands and has not ended.

    A newer one is announced long before it serves, so that a node which was away, and knows the older one alone, still gets in and
    reads of the newer. It serves when the founders have ended the older one, or that has ended by itself.

    Raises:
        NotFound: no key of them is here.
    """
    listed = roster.governance.secretariat_cas
    valid = [der for der in listed if now <= window_of(load_certificate(der)).not_after]
    return first_held(custody, "ca", valid or listed)


def issuer_of(roster: Roster, secretariat_ca: bytes, *, now: float) -> bytes:
    """Which of the listed issuing CAs signed a CA of the Secretariat's.

    Raises:
        NotFound: none of them.
    """
    genesis = roster.genesis
    for issuing_ca in reversed(roster.governance.issuing_cas):
        with suppress(Unauthentic):
            root, domain = genesis.root_certificate, genesis.domain
            read_party_ca(secretariat_ca, party=None, domain=domain, issuing_ca=issuing_ca, root=root, now=now)
            return issuing_ca
    raise NotFound("no issuing CA that the directory lists signed the Secretariat's own CA", hint="make a new one")


def first_held(custody: Custody, role: str, certificates: Sequence[bytes]) -> Authority:
    """The first of some CAs whose key is here.

    Raises:
        NotFound: these keys belong to another Secretariat, or to an older state of this one.
    """
    held = custody.cas(role)
    for certificate in certificates:
        public = load_certificate(certificate).public_key()
        for one in held:
            if one.key.public_key() == public:
                return Authority(certificate=certificate, key=one.key)
    raise NotFound(
        f"no `{role}` key is here that the directory lists",
        hint="restore the keystore from its backup, or see `pkcs11` in the settings",
    )

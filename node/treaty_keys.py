"""The Secretariat's keys as they stand: which of those in the keystore the directory lists now.

A successor of a key lies beside it under the next number (`log`, `log-2`). What counts is said by the directory, never here; so a
successor that was made and not yet announced changes nothing, and the running node takes it up at the entry that announces it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count

from federation.errors import NotFound, Unauthentic
from federation.trust.certificate import read_party_ca
from federation.trust.chain import load_certificate, window_of
from federation.trust.issuing import Authority, key_from_seed
from federation.trust.keys import SoftwareSigner
from federation.trust.roster import Roster
from node.keystore import Keystore
from node.use_cases.founding import SEED_BYTES
from node.use_cases.world import World


def key_names(keystore: Keystore, role: str) -> tuple[str, ...]:
    """The keys of a role, oldest first."""
    return tuple(_present(keystore, role))


def _present(keystore: Keystore, role: str) -> Iterator[str]:
    for number in count(1):
        name = role if number == 1 else f"{role}-{number}"
        if name not in keystore.names():
            return
        yield name


def make_successor(keystore: Keystore, role: str, *, listed: Sequence[bytes], world: World) -> bytes:
    """The seed of the key that follows: one that is there and listed nowhere yet, or a new one.

    Args:
        keystore: of the Secretariat.
        role: such as `log`.
        listed: public keys of the role that the directory lists or listed (`public_half`).
        world: for entropy.
    """
    names = key_names(keystore, role)
    seed = keystore.get(names[-1])
    if public_half(role, seed) in listed:
        seed = world.entropy(SEED_BYTES)
        keystore.put(f"{role}-{len(names) + 1}", seed)
    return seed


def public_half(role: str, seed: bytes) -> bytes:
    """What the directory shows of a key: an Ed25519 key, or the point of a P-256 key."""
    if role == "log":
        return SoftwareSigner(seed).public_key
    return _point(Authority(certificate=b"", key=key_from_seed(seed)))


def _point(authority: Authority) -> bytes:
    numbers = authority.key.public_key().public_numbers()
    return numbers.x.to_bytes(32) + numbers.y.to_bytes(32)


def point_of(certificate: bytes) -> bytes:
    """The point of the P-256 key in a CA's certificate."""
    numbers = load_certificate(certificate).public_key().public_numbers()  # type: ignore[union-attr]  # the directory lists P-256 alone
    return bytes(numbers.x.to_bytes(32) + numbers.y.to_bytes(32))  # type: ignore[union-attr]  # as above


def issuing_authority(keystore: Keystore, roster: Roster) -> Authority:
    """The CA that admits Parties: the newest one that the directory lists.

    Raises:
        NotFound: its key is not here.
    """
    return first_held(keystore, "issuing", tuple(reversed(roster.governance.issuing_cas)))


def own_authority(keystore: Keystore, roster: Roster, *, now: float) -> Authority:
    """The CA of the Secretariat's own node: the oldest one that stands and has not ended.

    A newer one is announced long before it serves, so that a node which was away, and knows the older one alone, still gets in and
    reads of the newer. It serves when the founders have ended the older one, or that has ended by itself.

    Raises:
        NotFound: no key of them is here.
    """
    listed = roster.governance.secretariat_cas
    valid = [der for der in listed if now <= window_of(load_certificate(der)).not_after]
    return first_held(keystore, "ca", valid or listed)


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


def first_held(keystore: Keystore, role: str, certificates: Sequence[bytes]) -> Authority:
    """The first of some CAs whose key is here.

    Raises:
        NotFound: the keystore belongs to another Secretariat, or to an older state of this one.
    """
    seeds = {public_half(role, seed): seed for seed in map(keystore.get, key_names(keystore, role))}
    for certificate in certificates:
        seed = seeds.get(point_of(certificate))
        if seed is not None:
            return Authority(certificate=certificate, key=key_from_seed(seed))
    raise NotFound(f"the keystore holds no `{role}` key that the directory lists", hint="restore the keystore from its backup")


def log_signers(keystore: Keystore) -> tuple[SoftwareSigner, ...]:
    """Every log key that is here, oldest first; which of them signs is said by the directory."""
    return tuple(SoftwareSigner(keystore.get(name)) for name in key_names(keystore, "log"))


def reread(keystore: Keystore) -> None:
    """Take up what other processes have put since: the command line makes a successor while the node runs."""
    keystore.put("log", keystore.get("log"))

"""The one place that gives keys: whoever signs gets a `Signer`, whoever issues gets a CA's key, and nobody asks where it lies.

    party     Ed25519   authors the Party's entries                          Party
    signing   Ed25519   envelopes, receipts, bundles, checkpoints            Party
    log       Ed25519   checkpoints of the directory                         Secretariat
    ca        P-256     issues certificates of nodes and officers            both
    issuing   P-256     issues Party CAs                                     Secretariat

A role has its keys in a row: `ca`, `ca-2`, `ca-3`. Which of them counts is said by the directory, never here: a node uses the
key whose public half is listed. So a successor that was made and not yet announced changes nothing, and is found again.

The settings say which roles have their keys made in a token; there a key is called `gsp-<owner>-<name>`. Everything else is in the
keystore file, and with it the token's PIN, so that one passphrase starts a node. A key from paper goes into the file even then: most
tokens take no key that was made outside of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from federation.errors import InvalidConfiguration, Misuse, NotFound
from federation.ports import Entropy
from federation.trust.issuing import KEY_SEED_BYTES, key_from_seed
from federation.trust.keys import Signer, SoftwareSigner
from node.config import NodeToken, SecretariatToken
from node.keystore.file import Keystore
from node.keystore.hardware import Token
from node.use_cases.desk_values import KeyPlace
from node.use_cases.own_keys import HeldKey, ca_key_hash

PIN: Final = "pkcs11-pin"
"""Name of the secret that opens the token."""
_CERTIFICATE: Final = "certificate-"
_RETIRED: Final = "retired-"
_SIGNERS: Final = frozenset({"party", "signing", "log"})
_AUTHORITIES: Final = frozenset({"ca", "issuing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCa:
    """A CA's key that is here.

    Attributes:
        certificate: DER, of a successor that this Party made for itself; None when only the directory has it.
    """

    name: str
    key: ec.EllipticCurvePrivateKey
    certificate: bytes | None


class Custody:
    """The keys of one node. Use `Custody.open`."""

    def __init__(self, *, keystore: Keystore, owner: str, token: Token | None, in_token: frozenset[str]) -> None:
        self._keystore = keystore
        self._owner = owner
        self._token = token
        self._in_token = in_token

    @classmethod
    @contextmanager
    def open(cls, keystore: Keystore, *, owner: str, token: NodeToken | SecretariatToken | None) -> Iterator[Custody]:
        """Have the keys at hand for the length of a block.

        Args:
            keystore: opened with the passphrase.
            owner: the Party's letters, or "secretariat": two nodes that share a token by mistake do not share keys.
            token: as the settings say; None when all keys are in the keystore.

        Raises:
            InvalidConfiguration: no PIN in the keystore; else as `Token`.
            KeysUnavailable: the token is not there.
        """
        if token is None:
            yield cls(keystore=keystore, owner=owner, token=None, in_token=frozenset())
            return
        if PIN not in keystore.names():
            raise InvalidConfiguration("the keystore holds no PIN for the token", hint="put it there with `gsp keys pin`")
        with Token(module=token.module, label=token.token, pin=keystore.get(PIN)) as opened:
            yield cls(keystore=keystore, owner=owner, token=opened, in_token=frozenset(token.keys))

    def place(self, name: str) -> KeyPlace:
        """Where a key lies, or would be made."""
        if name in self._keystore.names():
            return KeyPlace.FILE
        return KeyPlace.TOKEN if _role(name) in self._in_token else KeyPlace.FILE

    def names(self, role: str) -> tuple[str, ...]:
        """The keys of a role, oldest first."""
        return tuple(self._present(role))

    def next_name(self, role: str) -> str:
        """What the role's next key will be called."""
        return next(name for name in _row(role) if not self._has(name))

    def signer(self, name: str) -> Signer:
        """An Ed25519 key.

        Raises:
            NotFound: there is none of that name.
            KeysUnavailable: the token is gone.
        """
        if _role(name) not in _SIGNERS:
            raise Misuse(f"`{name}` signs no entries and no messages")
        if self._token is not None and self.place(name) is KeyPlace.TOKEN:
            return self._token.signer(self._label(name))
        return SoftwareSigner(self._keystore.get(name))

    def authority_key(self, name: str) -> ec.EllipticCurvePrivateKey:
        """A CA's P-256 key.

        Raises:
            NotFound: there is none of that name.
            KeysUnavailable: the token is gone.
        """
        if _role(name) not in _AUTHORITIES:
            raise Misuse(f"`{name}` issues no certificates")
        if self._token is not None and self.place(name) is KeyPlace.TOKEN:
            return self._token.authority_key(self._label(name))
        return key_from_seed(self._keystore.get(name))

    def signers(self, role: str) -> tuple[Signer, ...]:
        """All keys of a role that signs and were not given up, oldest first."""
        return tuple(self.signer(name) for name in self.names(role) if not self.is_retired(name))

    def cas(self, role: str = "ca") -> tuple[HeldCa, ...]:
        """All keys of a role that issues and were not given up, oldest first."""
        return tuple(
            HeldCa(name=name, key=self.authority_key(name), certificate=self._certificate(name))
            for name in self.names(role)
            if not self.is_retired(name)
        )

    def put_certificate(self, name: str, certificate: bytes) -> None:
        """Keep the certificate of a successor before it is announced: this node may need it before the directory here lists it."""
        self._keystore.put(_CERTIFICATE + name, certificate, replace=True)

    def _certificate(self, name: str) -> bytes | None:
        return self._keystore.get(_CERTIFICATE + name) if _CERTIFICATE + name in self._keystore.names() else None

    def retire(self, name: str) -> None:
        """Never use a key again, whatever the directory here says: it was revoked, and others know that before this node does."""
        self._keystore.put(_RETIRED + name, b"retired")

    def is_retired(self, name: str) -> bool:
        """Whether a key was given up."""
        return _RETIRED + name in self._keystore.names()

    def make(self, name: str, entropy: Entropy) -> None:
        """Make a key of that name, durably, in the place where its role has its keys; one that is there stays."""
        if _role(name) not in _SIGNERS | _AUTHORITIES:
            raise Misuse(f"`{name}` is no key of ours")
        if self._has(name):
            return
        if self._token is not None and self.place(name) is KeyPlace.TOKEN:
            make = self._token.make_signer if _role(name) in _SIGNERS else self._token.make_authority_key
            make(self._label(name))
        else:
            self._keystore.put(name, entropy(KEY_SEED_BYTES))

    def adopt(self, name: str, seed: bytes) -> None:
        """Keep an Ed25519 key that was made elsewhere, such as the next Party key from its paper; it lies in the file."""
        self._keystore.put(name, seed)

    def inventory(self) -> tuple[HeldKey, ...]:
        """Every key that is here, for people to read: without anything secret."""
        held = [
            HeldKey(role=role, name=name, id=self.signer(name).public_key, place=self.place(name), retired=self.is_retired(name))
            for role in sorted(_SIGNERS)
            for name in self.names(role)
        ]
        held += [
            HeldKey(
                role=role,
                name=name,
                id=ca_key_hash(self.authority_key(name)),
                place=self.place(name),
                retired=self.is_retired(name),
            )
            for role in sorted(_AUTHORITIES)
            for name in self.names(role)
        ]
        return tuple(held)

    def reload(self) -> None:
        """Take up what other processes have put since: the command line makes a successor while the node runs."""
        self._keystore.reload()

    def _present(self, role: str) -> Iterator[str]:
        for name in _row(role):
            if not self._has(name):
                return
            yield name

    def _has(self, name: str) -> bool:
        if name in self._keystore.names():
            return True
        return self._token is not None and self.place(name) is KeyPlace.TOKEN and self._token.has(self._label(name))

    def _label(self, name: str) -> str:
        return f"gsp-{self._owner}-{name}"


def _row(role: str) -> Iterator[str]:
    yield role
    yield from (f"{role}-{number}" for number in count(2))


def _role(name: str) -> str:
    return name.partition("-")[0]


def named_key(custody: Custody, role: str, public_key: bytes) -> Signer:
    """The key of a role whose public half the directory lists.

    Raises:
        NotFound: it is not here.
    """
    for signer in custody.signers(role):
        if signer.public_key == public_key:
            return signer
    raise NotFound(
        f"the directory lists another `{role}` key than any that is here", hint="use the keystore or the token that belongs to it"
    )

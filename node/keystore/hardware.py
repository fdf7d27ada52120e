"""Keys in a hardware module, by PKCS #11: they are made there, sign there and never leave.

python-pkcs11 is an extra (`pip install 'gsp-node[pkcs11]'`) and is imported when a token is opened. Ed25519 is the mechanism
EDDSA of PKCS #11 3.0, P-256 is ECDSA over a digest that is made here. Every signature is verified before it is given away: what a
faulty module signs is worth nothing to anybody and could show its key.

A session that breaks (a cable, a restart of the module's own server) is opened once more, with one new login; when that fails as
well, the caller gets `KeysUnavailable` and may try again later. A PIN that was refused is never tried a second time by one process,
because tokens lock themselves after a few wrong ones.

Which keys there are, and which of them lie here, is `custody`'s business.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import Any, Final, NoReturn, Self, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from federation.errors import FederationError, InvalidConfiguration, KeysUnavailable, Misuse, NotFound
from federation.trust import keys

Result = TypeVar("Result")

_ED25519: Final = b"\x13\x0cedwards25519"
"""CKA_EC_PARAMS as PKCS #11 3.0 has it: the curve's name as a PrintableString."""
_P256: Final = bytes.fromhex("06082a8648ce3d030107")
"""CKA_EC_PARAMS: the object identifier of prime256v1."""
_ED25519_POINT: Final = 32
_P256_POINT: Final = 65
_PROBE_BITS: Final = 64
"""What a session is asked for to see whether it lives."""
_PLUGGED: Final = "see that the module is there and its service runs, and compare `pkcs11` in the settings with the token's label"
_WRONG_PIN: Final = "put the right PIN into the keystore with `gsp keys pin`; a token locks itself after a few wrong ones"


class Token:
    """One token, logged in to. Use it as a context manager: the session ends with the block.

    Args:
        module: path of the vendor's library.
        label: of the token.
        pin: of its user.

    Raises:
        InvalidConfiguration: python-pkcs11 is not installed, the library is none, there are two such tokens, or the PIN is wrong.
        KeysUnavailable: the token is not there.
    """

    def __init__(self, *, module: str, label: str, pin: bytes) -> None:
        self._pkcs11 = _library()
        self._module = module
        self._label = label
        self._pin: str | None = pin.decode(errors="replace")
        self._lock = threading.Lock()
        self._missing = (self._pkcs11.NoSuchKey, self._pkcs11.MultipleObjectsReturned)
        self._private: dict[str, Any] = {}
        self._seen: set[str] = set()
        self._session = self._opened()

    def __repr__(self) -> str:
        return f"Token({self._label!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def has(self, name: str) -> bool:
        """Whether there is a private key of that label.

        Raises:
            KeysUnavailable: the token is gone, or does not show a key that it showed before: then it is another one.
        """
        try:
            self._run(lambda: self._find(self._pkcs11.ObjectClass.PRIVATE_KEY, name), known=name in self._seen)
        except NotFound:
            return False
        self._seen.add(name)
        return True

    def make_signer(self, name: str) -> HardwareSigner:
        """Make an Ed25519 key pair; the private half can never be read."""
        mechanism = self._pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN
        self._make(name, self._pkcs11.KeyType.EC_EDWARDS, _ED25519, mechanism)
        return self.signer(name)

    def make_authority_key(self, name: str) -> HardwareAuthorityKey:
        """Make a P-256 key pair; the private half can never be read."""
        self._make(name, self._pkcs11.KeyType.EC, _P256, self._pkcs11.Mechanism.EC_KEY_PAIR_GEN)
        return self.authority_key(name)

    def signer(self, name: str) -> HardwareSigner:
        """The Ed25519 key of that label.

        Raises:
            NotFound: there is none.
            KeysUnavailable: the token is gone.
        """
        return HardwareSigner(self, name, keys.check_public_key(self._point(name, _ED25519_POINT)))

    def authority_key(self, name: str) -> HardwareAuthorityKey:
        """The P-256 key of that label.

        Raises:
            NotFound, KeysUnavailable: as for `signer`.
        """
        point = self._point(name, _P256_POINT)
        return HardwareAuthorityKey(self, name, ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point))

    def sign(self, name: str, message: bytes, *, edwards: bool) -> bytes:
        """What the token makes of the message: RFC 8032, or r and s of ECDSA over a digest."""
        mechanism = self._pkcs11.Mechanism.EDDSA if edwards else self._pkcs11.Mechanism.ECDSA
        return bytes(self._run(lambda: self._key(name).sign(message, mechanism=mechanism), known=True))

    def _make(self, name: str, kind: Any, parameters: bytes, mechanism: Any) -> None:
        if self.has(name):
            raise Misuse(f"the token holds a `{name}` already")
        attribute, flag = self._pkcs11.Attribute, self._pkcs11.MechanismFlag

        def make() -> None:
            domain = self._session.create_domain_parameters(kind, {attribute.EC_PARAMS: parameters}, local=True)
            _, private = domain.generate_keypair(
                store=True,
                label=name,
                id=name.encode(),
                mechanism=mechanism,
                capabilities=flag.SIGN | flag.VERIFY,
                private_template={attribute.SENSITIVE: True, attribute.EXTRACTABLE: False},
            )
            if private[attribute.EXTRACTABLE] or not private[attribute.SENSITIVE]:
                private.destroy()
                raise InvalidConfiguration(
                    f"the token {self._label!r} makes keys that can be read",
                    hint="set it up so that it does not, or use another one",
                )

        self._run(make)

    def _point(self, name: str, size: int) -> bytes:
        """A public key: the bytes themselves, or as most modules have it an OCTET STRING around them."""
        attribute = self._pkcs11.Attribute
        wanted = self._pkcs11.ObjectClass.PUBLIC_KEY
        raw = self._run(lambda: bytes(self._find(wanted, name)[attribute.EC_POINT]))
        if raw[:2] == bytes((0x04, size)) and len(raw) == size + 2:
            return raw[2:]
        if len(raw) != size:
            raise InvalidConfiguration(f"the token's public key `{name}` is of another kind", hint="see which keys it holds")
        return raw

    def _key(self, name: str) -> Any:
        """The handle of a private key; it is good for one session."""
        if name not in self._private:
            wanted = self._pkcs11.ObjectClass.PRIVATE_KEY
            self._private[name] = self._find(wanted, name)
        return self._private[name]

    def _find(self, kind: Any, name: str) -> Any:
        """The one object of a kind and label. A session that broke is found out before the search, which would end untidily in it."""
        self._session.generate_random(_PROBE_BITS)
        return self._session.get_key(object_class=kind, label=name)

    def _run(self, work: Callable[[], Result], *, known: bool = False) -> Result:
        """Work with the session; once more with another session when it broke.

        Args:
            work: what to do; it looks everything up in the session of the moment.
            known: the key was there before, so that a token without it is another one, or is gone.
        """
        with self._lock:
            try:
                return work()
            except self._pkcs11.PKCS11Error as reason:
                if isinstance(reason, self._missing) and not known:
                    self._refuse_key(reason)
            self._close()
            self._session = self._reopened()
            try:
                return work()
            except self._pkcs11.PKCS11Error as reason:
                if isinstance(reason, self._missing) and not known:
                    self._refuse_key(reason)
                raise KeysUnavailable(
                    f"the token {self._label!r} does not work: {type(reason).__name__}", hint=_PLUGGED
                ) from reason

    def _reopened(self) -> Any:
        """Another session. Many modules find a token that was away only after they were started anew."""
        try:
            return self._opened()
        except KeysUnavailable:
            self._pkcs11.unload(self._module)
            return self._opened()

    def _refuse_key(self, reason: Exception) -> NoReturn:
        if isinstance(reason, self._pkcs11.NoSuchKey):
            raise NotFound(
                f"the token {self._label!r} does not hold the key that is wanted",
                hint="see that it is the right token; a lost key is replaced with `gsp keys rotate`",
            ) from reason
        raise InvalidConfiguration(
            f"the token {self._label!r} holds two keys of one label", hint="give each Party and each node a token of its own"
        ) from reason

    def _opened(self) -> Any:
        """A session with a login. Logins belong to the process: another session of it may have logged in already."""
        if self._pin is None:
            raise InvalidConfiguration(f"the token {self._label!r} refused the PIN before", hint=_WRONG_PIN)
        try:
            token = self._pkcs11.lib(self._module).get_token(token_label=self._label)
            try:
                return token.open(rw=True, user_pin=self._pin)
            except self._pkcs11.UserAlreadyLoggedIn:
                return token.open(rw=True)
        except (self._pkcs11.PinIncorrect, self._pkcs11.PinInvalid, self._pkcs11.PinLenRange, self._pkcs11.PinLocked) as reason:
            self._pin = None
            raise InvalidConfiguration(f"the PIN does not open the token {self._label!r}", hint=_WRONG_PIN) from reason
        except self._pkcs11.MultipleTokensReturned as reason:
            raise InvalidConfiguration(f"there are two tokens {self._label!r}", hint="give one of them another label") from reason
        except self._pkcs11.PKCS11Error as reason:
            raise self._absent(reason) from reason

    def _absent(self, reason: Exception) -> FederationError:
        if "loading" in str(reason):
            return InvalidConfiguration(
                f"{self._module} cannot be loaded as a PKCS #11 library", hint="check `pkcs11.module`, and what the vendor says"
            )
        return KeysUnavailable(f"the token {self._label!r} is not there", hint=_PLUGGED)

    def _close(self) -> None:
        self._private.clear()
        try:
            self._session.close()
        except self._pkcs11.PKCS11Error:
            return  # it was broken: nothing is left to close


class HardwareSigner:
    """An Ed25519 key in a token: a `federation.trust.keys.Signer`."""

    __slots__ = ("_name", "_public_key", "_token")

    def __init__(self, token: Token, name: str, public_key: bytes) -> None:
        self._token = token
        self._name = name
        self._public_key = public_key

    def __repr__(self) -> str:
        return f"HardwareSigner({self._name!r}, public_key={self._public_key.hex()})"

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of RFC 8032."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of RFC 8032.

        Raises:
            KeysUnavailable: the token is gone, or signs wrongly.
        """
        signature = self._token.sign(self._name, message, edwards=True)
        try:
            keys.verify(public_key=self._public_key, message=message, signature=signature)
        except FederationError as reason:
            raise _faulty(self._name) from reason
        return signature


class HardwareAuthorityKey(ec.EllipticCurvePrivateKey):
    """A P-256 key in a token, as pyca's builders of certificates and requests take it. A signature is another one each time."""

    def __init__(self, token: Token, name: str, public: ec.EllipticCurvePublicKey) -> None:
        self._token = token
        self._name = name
        self._public = public

    def __copy__(self) -> HardwareAuthorityKey:
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> HardwareAuthorityKey:
        return self

    @property
    def curve(self) -> ec.EllipticCurve:
        """P-256."""
        return self._public.curve

    @property
    def key_size(self) -> int:
        """In bits."""
        return self._public.key_size

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public half."""
        return self._public

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """An ECDSA signature in DER.

        Raises:
            KeysUnavailable: the token is gone, or signs wrongly.
        """
        algorithm = signature_algorithm.algorithm
        if isinstance(algorithm, Prehashed):
            raise Misuse("a key in a token signs whole messages")
        digest = hashes.Hash(algorithm)
        digest.update(data)
        pair = self._token.sign(self._name, digest.finalize(), edwards=False)
        half = len(pair) // 2
        signature = encode_dss_signature(int.from_bytes(pair[:half]), int.from_bytes(pair[half:]))
        try:
            self._public.verify(signature, data, ec.ECDSA(algorithm))
        except InvalidSignature as reason:
            raise _faulty(self._name) from reason
        return signature

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:
        """Not for this key."""
        del algorithm, peer_public_key
        raise Misuse("a CA's key signs and does nothing else")

    def private_numbers(self) -> ec.EllipticCurvePrivateNumbers:
        """It never leaves the token."""
        raise Misuse("a key in a token cannot be read")

    def private_bytes(
        self,
        encoding: serialization.Encoding,
        format: serialization.PrivateFormat,  # noqa: A002  # pyca's name
        encryption_algorithm: serialization.KeySerializationEncryption,
    ) -> bytes:
        """It never leaves the token."""
        del encoding, format, encryption_algorithm
        raise Misuse("a key in a token cannot be read")


def _faulty(name: str) -> KeysUnavailable:
    return KeysUnavailable(
        f"the token made a signature of `{name}` that does not verify", hint="ask the module's vendor; nothing was sent"
    )


def _library() -> Any:
    """python-pkcs11, which not everybody has."""
    try:
        return importlib.import_module("pkcs11")
    except ImportError as reason:
        raise InvalidConfiguration(
            "keys in a hardware module need python-pkcs11, which is not installed", hint="pip install 'gsp-node[pkcs11]'"
        ) from reason

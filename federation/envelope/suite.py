"""Suite 0x0001: the encryption of an envelope, as one number without parameters or negotiation.

- Keys are X-Wing (draft-connolly-cfrg-xwing-kem): ML-KEM-768 and X25519 together, so both have to fall.
- `wrap` carries a content key to the holder of one private key: HPKE (RFC 9180) in base mode with KEM 0x647a, HKDF-SHA256 and
  ChaCha20-Poly1305. The library takes no additional data, so whatever has to be bound goes into `info` (RFC 9180, section 8.1).
- `seal_stream` encrypts under a content key: Cobblestone-256 (C2SP chunked-encryption). It commits to the key and the context, so
  one ciphertext cannot open in two ways.

Randomness inside both comes from the library. Nothing here says who sent anything: that is what signatures are for
(`federation.envelope.seal`). When a private key is destroyed is decided elsewhere, and so nothing here remembers one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import shake_256
from typing import Final

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

from federation.errors import Malformed, Misuse, Unauthentic

SUITE: Final = 0x0001
SEED_BYTES: Final = 32
PUBLIC_KEY_BYTES: Final = 1_216
CEK_BYTES: Final = 32
WRAP_BYTES: Final = 1_168
"""The encapsulated key (1,120), the content key and a tag (16)."""

_MLKEM_SEED_BYTES: Final = 64
_MLKEM_PUBLIC_BYTES: Final = 1_184
_EXPANDED_SEED_BYTES: Final = 96
_STREAM_HEADER_BYTES: Final = 56
_CHUNK_BYTES: Final = 16_384
_TAG_BYTES: Final = 16
_HPKE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_ANYBODY: Final = X25519PrivateKey.from_private_bytes(bytes(range(32)))
"""No secret: a scalar to try a public key with."""


class PrivateKey:
    """An X-Wing private key, made from its 32-byte seed. Making one costs more than using it, so its owner may keep it.

    It never shows the seed. Python cannot wipe memory: a key is gone when nothing refers to it and its storage is destroyed.
    """

    __slots__ = ("_key", "_public_key")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise Misuse(f"a sealing key is made from {SEED_BYTES} bytes, not {len(seed)}")
        expanded = shake_256(seed).digest(_EXPANDED_SEED_BYTES)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_BYTES])
        x25519 = X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_BYTES:])
        self._key = MLKEM768X25519PrivateKey(mlkem, x25519)
        self._public_key = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()

    @property
    def public_key(self) -> bytes:
        """The 1,216 bytes that senders wrap to: the ML-KEM-768 key, then the X25519 key."""
        return self._public_key

    def unwrap(self, info: bytes, wrapped: bytes) -> bytes:
        """The content key that `wrap` was given.

        Raises:
            Malformed: another length than `WRAP_BYTES`.
            Unauthentic: not wrapped to this key with this `info`.
        """
        if len(wrapped) != WRAP_BYTES:
            raise Malformed(f"a wrapped key has {WRAP_BYTES} bytes, not {len(wrapped)}")
        try:
            return _HPKE.decrypt(wrapped, self._key, info=info)
        except InvalidTag:
            raise Unauthentic("a wrapped key does not open") from None

    def __repr__(self) -> str:
        return f"PrivateKey(public_key={self._public_key[:8].hex()}...)"


def public_key_from_seed(seed: bytes) -> bytes:
    """The 1,216-byte public key that belongs to a 32-byte seed."""
    return PrivateKey(seed).public_key


def check_public_key(public_key: bytes) -> bytes:
    """Give a public key back when it can be wrapped to; for whoever takes keys in, so that a bad one never reaches a sender.

    Raises:
        Malformed: it cannot.
    """
    try:
        _, x25519 = _halves(public_key)  # an ML-KEM key out of range cannot be read
        _ANYBODY.exchange(x25519)  # a point of low order gives everybody the same secret, and this refuses it
    except ValueError:
        raise _no_key() from None
    return public_key


def wrap(recipient_public: bytes, info: bytes, cek: bytes) -> bytes:
    """Encrypt a 32-byte content key to the holder of the private key, bound to `info`: `WRAP_BYTES` bytes, new each time.

    Raises:
        Malformed: the public key is not one.
    """
    if len(cek) != CEK_BYTES:
        raise Misuse(f"a content key has {CEK_BYTES} bytes, not {len(cek)}")
    try:
        return _HPKE.encrypt(cek, MLKEM768X25519PublicKey(*_halves(recipient_public)), info=info)
    except ValueError:  # as in `check_public_key`
        raise _no_key() from None


def _halves(public_key: bytes) -> tuple[MLKEM768PublicKey, X25519PublicKey]:
    """Raises ValueError for what ML-KEM cannot use."""
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise Malformed(f"a sealing key has {PUBLIC_KEY_BYTES} bytes, not {len(public_key)}")
    return (
        MLKEM768PublicKey.from_public_bytes(public_key[:_MLKEM_PUBLIC_BYTES]),
        X25519PublicKey.from_public_bytes(public_key[_MLKEM_PUBLIC_BYTES:]),
    )


def _no_key() -> Malformed:
    return Malformed("a sealing key is not a key that anybody can hold")


def unwrap(seed: bytes, info: bytes, wrapped: bytes) -> bytes:
    """`PrivateKey.unwrap` for a key that is used once, given as its seed."""
    return PrivateKey(seed).unwrap(info, wrapped)


def seal_stream(cek: bytes, context: bytes, plaintext: bytes) -> bytes:
    """Encrypt under a content key, bound to `context`: `stream_size` bytes, new each time."""
    if len(cek) != CEK_BYTES:
        raise Misuse(f"a content key has {CEK_BYTES} bytes, not {len(cek)}")
    encryptor = Cobblestone256Encryptor(cek, context)
    return encryptor.update(plaintext) + encryptor.finalize()


def open_stream(cek: bytes, context: bytes, ciphertext: bytes) -> bytes:
    """The whole plaintext that `seal_stream` was given; not a byte of it before the last chunk has been authenticated.

    Raises:
        Malformed: the content key has another length than 32 bytes.
        Unauthentic: not the ciphertext of this key and context, whole and in order.
    """
    if len(cek) != CEK_BYTES:
        raise Malformed(f"a content key has {CEK_BYTES} bytes, not {len(cek)}")
    try:
        decryptor = Cobblestone256Decryptor(cek, context)
        return decryptor.update(ciphertext) + decryptor.finalize()
    except InvalidTag:
        raise Unauthentic("a ciphertext does not open") from None


def stream_encryptor(cek: bytes, context: bytes) -> Cobblestone256Encryptor:
    """`seal_stream` for whoever is given the plaintext piece by piece: it takes pieces with `update`, and ends with `finalize`."""
    if len(cek) != CEK_BYTES:
        raise Misuse(f"a content key has {CEK_BYTES} bytes, not {len(cek)}")
    return Cobblestone256Encryptor(cek, context)


def seal_pieces(cek: bytes, context: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """`seal_stream` for what does not fit into memory: the pieces of one ciphertext."""
    encryptor = stream_encryptor(cek, context)
    for piece in pieces:
        yield encryptor.update(piece)
    yield encryptor.finalize()


class StreamDecryptor:
    """`open_stream` for whoever is given the ciphertext piece by piece; see `open_pieces` for what that means.

    Raises, from both methods:
        Unauthentic: not the ciphertext of this key and context, whole and in order.
    """

    def __init__(self, cek: bytes, context: bytes) -> None:
        self._decryptor = Cobblestone256Decryptor(cek, context)

    def update(self, piece: bytes) -> bytes:
        """The plaintext that this piece gives."""
        try:
            return self._decryptor.update(piece)
        except InvalidTag:
            raise Unauthentic("a ciphertext does not open") from None

    def finalize(self) -> bytes:
        """The last of the plaintext: nothing is missing."""
        try:
            return self._decryptor.finalize()
        except InvalidTag:
            raise Unauthentic("a ciphertext does not open") from None


def open_pieces(cek: bytes, context: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """`open_stream` for what does not fit into memory. Each piece is as it was sealed and in its place, but only the end of the
    iteration says that nothing is missing: whoever acts on a piece before has to be able to take that back.

    Raises:
        Unauthentic: not the ciphertext of this key and context, whole and in order.
    """
    decryptor = StreamDecryptor(cek, context)
    for piece in pieces:
        yield decryptor.update(piece)
    yield decryptor.finalize()


def stream_size(length: int) -> int:
    """The size in bytes of the ciphertext, for `length` bytes of plaintext: every chunk has a tag, and the last one is short."""
    return _STREAM_HEADER_BYTES + length + _TAG_BYTES * (length // _CHUNK_BYTES + 1)

"""Seals what a stolen disk or copy must not show: keys, salts, statements, bodies.

XChaCha20-Poly1305 with a random nonce under the node's storage key, bound to the column and row where it stands, so nothing can
be moved from one row to another. Where the storage key comes from is left to the keystore.
"""

from __future__ import annotations

from typing import Final

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

from federation.errors import Misuse, StoreUnavailable
from federation.ports import Entropy

STORAGE_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 24
_LABEL: Final = "gsp/v1/store"


class Vault:
    """Holds the storage key. Used by a store's threads; it changes nothing in itself.

    Args:
        storage_key: 32 bytes.
        entropy: gives nonces, 24 bytes each; called in several threads.
    """

    __slots__ = ("_entropy", "_storage_key")

    def __init__(self, storage_key: bytes, *, entropy: Entropy) -> None:
        if len(storage_key) != STORAGE_KEY_BYTES:
            raise Misuse(f"a storage key has {STORAGE_KEY_BYTES} bytes, not {len(storage_key)}")
        self._storage_key = storage_key
        self._entropy = entropy

    def seal(self, secret: bytes, *, column: str, row: bytes) -> bytes:
        """Nonce and ciphertext: 40 bytes more than the secret.

        Args:
            secret: any bytes.
            column: table and column, as `crossing.sealed`.
            row: the key of the row.
        """
        nonce = self._entropy(_NONCE_BYTES)
        sealed: bytes = crypto_aead_xchacha20poly1305_ietf_encrypt(secret, _place(column, row), nonce, self._storage_key)
        return nonce + sealed

    def open(self, sealed: bytes, *, column: str, row: bytes) -> bytes:
        """What was sealed for this place.

        Raises:
            StoreUnavailable: it was sealed with another key or for another place, or somebody changed it.
        """
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            secret: bytes = crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, _place(column, row), nonce, self._storage_key)
        except (CryptoError, ValueError):
            raise StoreUnavailable(
                "a sealed field of the store does not open", hint="the file was changed: put back the newest copy of it"
            ) from None
        return secret

    def make_inner(self, *, column: str, row: bytes) -> tuple[Vault, bytes]:
        """A vault with a new key of its own, and that key sealed in this one: whoever destroys it destroys what it sealed."""
        key = self._entropy(STORAGE_KEY_BYTES)
        return Vault(key, entropy=self._entropy), self.seal(key, column=column, row=row)

    def open_inner(self, sealed: bytes, *, column: str, row: bytes) -> Vault:
        """The vault whose key was sealed for this place.

        Raises:
            StoreUnavailable: as `open`.
        """
        return Vault(self.open(sealed, column=column, row=row), entropy=self._entropy)


def _place(column: str, row: bytes) -> bytes:
    """No column has a NUL in its name, so no two places read the same."""
    return f"{_LABEL}\0{column}\0".encode() + row

"""The hashes of keys that a directory has seen: a set that only grows, and that is cheap to keep in many versions.

Every entry makes another roster, and the old ones stay as they were. A set that is copied for each new key would make the folding
of a long log quadratic. So a version is a few parts, each at least twice as large as the one after it, and a new part swallows
the smaller ones: adding costs little on the average, and looking up asks a handful of parts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UsedKeys:
    """SHA-256 of Ed25519 keys, and of the SubjectPublicKeyInfo of CAs. What is in it stays in it.

    Attributes:
        parts: no hash stands in two of them.
    """

    parts: tuple[frozenset[bytes], ...] = ()

    def __contains__(self, key_hash: bytes) -> bool:
        return any(key_hash in part for part in self.parts)

    def including(self, *key_hashes: bytes) -> UsedKeys:
        """The set with these as well."""
        added = frozenset(one for one in key_hashes if one not in self)
        if not added:
            return self
        parts = list(self.parts)
        while parts and len(parts[-1]) < 2 * len(added):
            added |= parts.pop()
        return UsedKeys((*parts, added))

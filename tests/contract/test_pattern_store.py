from hashlib import sha256

import pytest

from federation.errors import Misuse

ENCODED = b"an encoded pattern set" * 1_000
DIGEST = sha256(ENCODED).digest()


async def test_a_set_is_found_under_its_digest(patterns):
    async with patterns:
        for _ in range(2):  # again is harmless
            await patterns.store.put(DIGEST, ENCODED)
        await patterns.again()

        assert await patterns.store.get(DIGEST) == ENCODED
        assert await patterns.store.get(sha256(b"another").digest()) is None


async def test_a_set_under_a_digest_that_is_not_its_own_is_refused(patterns):
    async with patterns:
        with pytest.raises(Misuse):
            await patterns.store.put(DIGEST, b"another set")
        await patterns.again()

        assert await patterns.store.get(DIGEST) is None

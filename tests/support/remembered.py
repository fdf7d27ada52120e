"""In one process a hundred nodes verify the same bundle, checkpoint and cosignature: here each of them is verified once, and each key to
seal to is tried once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from unittest.mock import patch

from nacl.signing import VerifyKey

from federation.envelope import suite
from federation.trust import keys

REMEMBERED_MAX = 200_000
"""Of a hundred nodes, each day's bundles and cosignatures, some times over."""


@contextmanager
def verified_once() -> Iterator[None]:
    """Within the block a signature that verified under a key over a message is not computed again. What fails is computed each time."""
    good: OrderedDict[tuple[bytes, bytes, bytes], None] = OrderedDict()

    class Remembering:
        def __init__(self, public_key: bytes) -> None:
            self._public_key = public_key

        def verify(self, message: bytes, signature: bytes) -> None:
            """As that of the library."""
            what = (self._public_key, signature, message)
            if what in good:
                return
            VerifyKey(self._public_key).verify(message, signature)
            good[what] = None
            if len(good) > REMEMBERED_MAX:
                good.popitem(last=False)

    with (
        patch.object(keys, "VerifyKey", Remembering),
        patch.object(suite, "check_public_key", lru_cache(10_000)(suite.check_public_key)),
    ):
        yield

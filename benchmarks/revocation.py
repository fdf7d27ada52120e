"""From a Party's word that a key counts no more to the refusal of whoever uses it, at a peer that the word was told.

The Secretariat has no part in it, and the log does not hold the revocation. What cannot be less is two calls: the one that tells, and
the one that is refused. Between them the peer verifies, writes down and takes the key's CA out of its anchors.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from federation.errors import Unauthentic
from federation.identity import PartyId
from federation.ports import Notice, NoticeKind
from federation.trust.entries import RevokedKind
from tests.support import acts
from tests.support.real_directory import federation, valid_treaty

LISTENER, TELLER = PartyId("qm"), PartyId("qn")
REVOKED = tuple(PartyId(f"x{letter}") for letter in "abcdefghjlmnopq")


async def revocation_on_sight() -> list[float]:
    """Seconds from the beginning of the call that tells to the refusal of the next call under the revoked CA, once for each Party."""
    treaty = valid_treaty(LISTENER, TELLER, *REVOKED)
    times = []
    with tempfile.TemporaryDirectory() as folder:
        async with federation(treaty, Path(folder), LISTENER, TELLER, *REVOKED) as (_, nodes):
            peer = treaty.parties[LISTENER].peer
            await nodes[TELLER].service.checkpoint(peer)
            for party in REVOKED:
                await nodes[party].service.checkpoint(peer)  # the connection is there, as it is to a peer one works with
                leaf = acts.revoke(treaty, treaty.parties[party], RevokedKind.PARTY_CA).leaf
                start = time.perf_counter()
                await nodes[TELLER].service.tell(peer, Notice(kind=NoticeKind.REVOCATION, raw=leaf))
                try:
                    await nodes[party].service.checkpoint(peer)
                except Unauthentic:
                    times.append(time.perf_counter() - start)
    if len(times) != len(REVOKED):
        raise AssertionError
    return times

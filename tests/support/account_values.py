"""Accounts, listings and contradictions for tests over all values."""

from __future__ import annotations

from hypothesis import strategies as st

from federation import limits
from federation.evidence.account import Account, Crossed, DayTally, Head, Listing, SignedTelling, Way
from federation.evidence.journal import Epoch
from federation.wire.account import Contradiction
from tests.support.values import DIGESTS, MESSAGE_IDS, NODES, SIGNATURES, SIGNED_RECEIPTS, TIMES

SIZES = st.integers(0, limits.TREE_SIZE_MAX)
DAYS = st.integers(0, limits.TIME_S_MAX // 86_400)
TELLINGS = st.builds(SignedTelling, statement=st.binary(max_size=60), signature=SIGNATURES)
_TALLIES = st.builds(DayTally, day=DAYS, sent=SIZES, sent_digest=DIGESTS, received=SIZES, received_digest=DIGESTS)
_HEADS = st.builds(Head, size=st.integers(1, limits.TREE_SIZE_MAX), root=DIGESTS | st.just(b""))
_LATER = st.builds(Epoch, number=st.integers(2, limits.TIME_S_MAX), first=st.integers(1, limits.TREE_SIZE_MAX))


def _unique(strategy: st.SearchStrategy, by, most: int = 3):
    return st.lists(strategy, max_size=most, unique_by=by).map(lambda found: tuple(sorted(found, key=by)))


EPOCHS = st.lists(_LATER, max_size=2, unique_by=(lambda one: one.number, lambda one: one.first)).map(
    lambda later: (Epoch(number=1, first=0), *sorted(later, key=lambda one: one.first))
)
ACCOUNTS = st.builds(
    Account,
    teller=NODES,
    hearer=NODES,
    at=TIMES,
    checkpoint=st.binary(max_size=60),
    epochs=EPOCHS,
    days=_unique(_TALLIES, lambda one: one.day),
    heads=_unique(_HEADS, lambda one: one.size),
)


@st.composite
def _listings(draw: st.DrawFn) -> Listing:
    way = draw(st.sampled_from(Way))
    ids = sorted(draw(st.lists(MESSAGE_IDS, max_size=4, unique=True)))
    after = bytes(ids.pop(0)) if ids and draw(st.booleans()) else b""
    entries = tuple(
        Crossed(message_id=one, commitment=draw(DIGESTS), receipted=way is Way.RECEIVED or draw(st.booleans())) for one in ids
    )
    return Listing(
        teller=draw(NODES),
        hearer=draw(NODES),
        at=draw(TIMES),
        day=draw(DAYS),
        way=way,
        after=after,
        entries=entries,
        more=bool(entries) and draw(st.booleans()),
    )


LISTINGS = _listings()
CONTRADICTIONS = st.builds(Contradiction, earlier=SIGNED_RECEIPTS | TELLINGS, account=TELLINGS)

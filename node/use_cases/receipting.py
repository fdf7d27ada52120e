"""A receipt that was given before, given again: it follows from the journal, byte for byte."""

from __future__ import annotations

from federation.delivery.receipt import SignedReceipt
from federation.errors import NotFound
from federation.evidence.journal import Position
from federation.ports import JournalStore
from federation.trust import merkle
from node.use_cases.world import Own


async def receipt_again(own: Own, journal: JournalStore, *, digest: bytes, index: int) -> SignedReceipt:
    """The receipt for what stands at that place of the journal.

    Raises:
        NotFound: the record was erased at the end of retention.
    """
    leaf = await journal.leaf(index)
    if leaf is None:
        raise NotFound("the journal record of this message was erased at the end of retention")
    path = await journal.inclusion(index, index + 1)
    # The last leaf of a tree: everything on its path lies to its left.
    root = leaf.hash()
    for sibling in path:
        root = merkle.node_hash(sibling, root)
    return own.receipt(digest=digest, leaf=leaf, position=Position(index=index, root=root, inclusion=path))

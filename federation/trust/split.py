"""A split view as a proof that anybody can carry: two signed statements of the log that cannot both be true.

Theory of operation. A checkpoint of size n fixes the root that the log had at every smaller size m: a consistency proof shows which
one it was. If the log key also signed a checkpoint of size m with another root, then it has shown two histories. So a proof is
the two checkpoints, the root that the newer one has at the older size, and the hashes that show it (RFC 6962, section 2.1.2).

Nobody can be framed by it: both checkpoints are under the log's own key, and hashes that lead to the newer root and to a root that
its log did not have at that size would be a collision of SHA-256. What is not proven is which of the two histories the others saw.
How a node comes by the hashes is left to it: it holds one of the trees, or reads the other one's entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from federation.errors import Malformed
from federation.trust import merkle, note
from federation.trust.merkle import ReadNode
from federation.trust.note import Checkpoint
from federation.trust.roster import LogKey
from federation.trust.witness import read_statement


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitView:
    """Two checkpoints of one log, and what shows that they contradict each other.

    Attributes:
        older: a signed note; of two of one size the one with the smaller root, so that a contradiction has one spelling.
        newer: a signed note of the same size or a larger one.
        root: the root at the older size of the tree that the newer one names; for equal sizes, the newer one's.
        hashes: the consistency proof from the older size to the newer; none for equal sizes.
    """

    older: bytes
    newer: bytes
    root: bytes
    hashes: tuple[bytes, ...]


def split_view(first: bytes, second: bytes, *, read_node: ReadNode) -> SplitView | None:
    """Compare two checkpoints, in either order; None when they agree. Their signatures are not checked.

    Args:
        first: a signed note.
        second: another one of the same log.
        read_node: reads the tree of the larger one; of two of one size it is not asked.

    Raises:
        Malformed: one of them is no checkpoint.
    """
    one, other = _claimed(first), _claimed(second)
    if (one.size, one.root) > (other.size, other.root):
        first, second, one, other = second, first, other, one
    if one.size == other.size:
        hashes: tuple[bytes, ...] = ()
        root = other.root
    elif one.size == 0:
        return None
    else:
        root = merkle.root_at(one.size, read_node)
        hashes = merkle.consistency_proof(one.size, other.size, read_node)
    return None if root == one.root else SplitView(older=first, newer=second, root=root, hashes=hashes)


def verify_split(view: SplitView, *, origin: str, keys: Sequence[LogKey]) -> tuple[Checkpoint, Checkpoint]:
    """Return the two checkpoints when they cannot both be true.

    Args:
        view: from anybody.
        origin: the log's name.
        keys: the keys that sign, or signed, its checkpoints.

    Raises:
        Malformed: no checkpoints of one log in the order of their sizes, or no contradiction.
        Unauthentic: the log did not sign one of them, or the hashes do not show the root.
    """
    older, _ = read_statement(view.older, origin=origin, keys=keys)
    newer, _ = read_statement(view.newer, origin=origin, keys=keys)
    if older.size == newer.size and older.root >= newer.root:
        raise Malformed("of two checkpoints of one size in a split view the one with the smaller root stands first")
    merkle.verify_consistency(
        old_size=older.size, old_root=view.root, new_size=newer.size, new_root=newer.root, proof=view.hashes
    )
    if view.root == older.root:
        raise Malformed("these two checkpoints agree, so they show no split view")
    return older, newer


def _claimed(raw: bytes) -> Checkpoint:
    return note.parse_checkpoint(note.parse_note(raw).text)

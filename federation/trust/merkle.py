"""The Merkle tree of RFC 6962, for the directory log and for every journal.

A node of the tree has coordinates (level, index): it covers the leaves from `index << level` to `(index + 1) << level`, and is
called complete when all of them are there. Only hashes of complete nodes are ever stored, because they never change. `Frontier`
says which ones an append completes; proofs and roots are computed from whatever can read them back, and nothing here keeps them.

A proof is a list of spans of leaves, each as one hash. `_inclusion_spans` and `_consistency_spans` say which spans; prover and
verifier both walk them, from the leaves to the root.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, TypeAlias

from federation import limits
from federation.errors import Malformed, Unauthentic

HASH_BYTES: Final = 32

Coordinates: TypeAlias = tuple[int, int]
"""(level, index) of a complete node; leaves are at level 0."""
StoredNode: TypeAlias = tuple[int, int, bytes]
"""(level, index, hash) of a complete node."""
ReadNode: TypeAlias = Callable[[int, int], bytes]
"""Gives the hash of the complete node at (level, index)."""
_Span: TypeAlias = tuple[int, int]
"""Leaves from the first number up to, not including, the second. Every span here is a subtree of some RFC 6962 tree."""


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf (RFC 6962, section 2.1)."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 6962, section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def empty_root() -> bytes:
    """The root of the tree without leaves (RFC 6962, section 2.1)."""
    return sha256(b"").digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """All that is needed to append to a tree: the hashes of its largest complete subtrees, from left to right.

    Attributes:
        size: leaves in the tree.
        hashes: one for each bit that is set in `size`, the largest subtree first.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        _check_size(self.size)
        if len(self.hashes) != self.size.bit_count():
            raise Malformed("the right edge of a tree does not fit its size")
        _check_hashes(self.hashes)

    def append(self, leaf: bytes) -> tuple[Frontier, tuple[StoredNode, ...]]:
        """The tree with one more leaf, given as its hash, and every node that is complete now and was not before."""
        level, index, current = 0, self.size, leaf
        hashes = list(self.hashes)
        completed = [(level, index, current)]
        while index % 2 == 1:
            level, index, current = level + 1, index // 2, node_hash(hashes.pop(), current)
            completed.append((level, index, current))
        return Frontier(size=self.size + 1, hashes=(*hashes, current)), tuple(completed)

    def root(self) -> bytes:
        """The root of the tree."""
        return _join(self.hashes) if self.hashes else empty_root()


def frontier_at(size: int, read_node: ReadNode) -> Frontier:
    """The right edge of the tree as it was with `size` leaves.

    Raises:
        Malformed: there is no tree of this size.
    """
    _check_size(size)
    return Frontier(size=size, hashes=tuple(read_node(*node) for node in _cover((0, size))))


def root_at(size: int, read_node: ReadNode) -> bytes:
    """The root of the tree as it was with `size` leaves.

    Raises:
        Malformed: there is no tree of this size.
    """
    return frontier_at(size, read_node).root()


def inclusion_nodes(index: int, size: int) -> tuple[Coordinates, ...]:
    """The nodes that `inclusion_proof` reads, in its order, for a store that prefers to read them at once.

    Raises:
        Malformed: no leaf of the tree has this index.
    """
    return tuple(node for span in _inclusion_spans(index, size) for node in _cover(span))


def inclusion_proof(index: int, size: int, read_node: ReadNode) -> tuple[bytes, ...]:
    """The audit path PATH(index, tree) of RFC 6962, section 2.1.1.

    Raises:
        Malformed: no leaf of the tree has this index.
    """
    return tuple(_span_hash(span, read_node) for span in _inclusion_spans(index, size))


def consistency_nodes(old_size: int, new_size: int) -> tuple[Coordinates, ...]:
    """The nodes that `consistency_proof` reads, in its order, for a store that prefers to read them at once.

    Raises:
        Malformed: not 0 < old size <= new size.
    """
    return tuple(node for span in _consistency_spans(old_size, new_size) for node in _cover(span))


def consistency_proof(old_size: int, new_size: int, read_node: ReadNode) -> tuple[bytes, ...]:
    """The proof PROOF(old size, tree) of RFC 6962, section 2.1.2. It is empty for equal sizes.

    Raises:
        Malformed: not 0 < old size <= new size. Every tree extends the empty one, so about that there is nothing to prove.
    """
    return tuple(_span_hash(span, read_node) for span in _consistency_spans(old_size, new_size))


def verify_inclusion(*, leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Return when the leaf with this hash stands at `index` in the tree with this size and root.

    Raises:
        Malformed: no leaf of such a tree has this index, or a hash has another length than 32 bytes.
        Unauthentic: the proof does not lead to the root.
    """
    spans = _inclusion_spans(index, size)
    if len(spans) != len(proof):
        raise Unauthentic("an inclusion proof has the wrong number of hashes")
    _check_hashes((leaf_hash, *proof))
    current = leaf_hash
    for (start, _), sibling in zip(spans, proof, strict=True):
        current = node_hash(current, sibling) if start > index else node_hash(sibling, current)
    if current != root:
        raise Unauthentic("an inclusion proof does not lead to the root of the log")


def verify_consistency(*, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Return when the tree with the new size and root begins with the leaves of the old one, in their order.

    Raises:
        Malformed: not 0 < old size <= new size, or a hash in the proof has another length than 32 bytes. An old size of zero is
            refused because it proves nothing: who knows no earlier tree has to know that, and not pass by here.
        Unauthentic: the proof does not lead to both roots.
    """
    spans = _consistency_spans(old_size, new_size)
    if len(spans) != len(proof):
        raise Unauthentic("a consistency proof has the wrong number of hashes")
    _check_hashes(proof)
    steps = list(zip(spans, proof, strict=True))
    # When the old tree is one complete subtree of the new one, its root is known and the proof leaves it out.
    begins_inside = bool(steps) and steps[0][0][1] == old_size
    old = new = steps.pop(0)[1] if begins_inside else old_root
    for (start, _), sibling in steps:
        if start < old_size:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    if (old, new) != (old_root, new_root):
        raise Unauthentic("a consistency proof does not lead to both roots: the log may have been rewritten")


def _inclusion_spans(index: int, size: int) -> list[_Span]:
    _check_size(size)
    if not 0 <= index < size:
        raise Malformed("a log has no such leaf")
    spans: list[_Span] = []
    start, end = 0, size
    while end - start > 1:
        middle = _split(start, end)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def _consistency_spans(old_size: int, new_size: int) -> list[_Span]:
    _check_size(new_size)
    if not 0 < old_size <= new_size:
        raise Malformed("there is no consistency proof between logs of these sizes")
    spans: list[_Span] = []
    start, end = 0, new_size
    while end != old_size:
        middle = _split(start, end)
        if old_size <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    if start > 0:
        spans.append((start, end))
    return spans[::-1]


def _split(start: int, end: int) -> int:
    """Where RFC 6962 divides a subtree: after the largest power of two that is smaller than its number of leaves."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _cover(span: _Span) -> Iterable[Coordinates]:
    """The complete nodes that together make up a span, from left to right."""
    start, end = span
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _span_hash(span: _Span, read_node: ReadNode) -> bytes:
    return _join([read_node(*node) for node in _cover(span)])


def _join(hashes: Sequence[bytes]) -> bytes:
    """The root over adjacent complete subtrees, the largest first."""
    *others, current = hashes
    for left in reversed(others):
        current = node_hash(left, current)
    return current


def _check_size(size: int) -> None:
    if not 0 <= size <= limits.TREE_SIZE_MAX:
        raise Malformed("no log has this size")


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise Malformed(f"a hash in a tree has {HASH_BYTES} bytes")

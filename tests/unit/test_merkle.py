from __future__ import annotations

import pytest

from federation.errors import Malformed, Unauthentic
from federation.trust.merkle import (
    Frontier,
    consistency_nodes,
    consistency_proof,
    empty_root,
    frontier_at,
    inclusion_nodes,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from tests.support.tree import Tree

TREE = Tree.of(11)


def test_the_hashes_are_those_of_rfc_6962():
    assert empty_root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert node_hash(b"N123", b"N456").hex() == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"


def test_the_empty_tree_has_the_empty_root():
    assert Frontier().root() == empty_root()
    assert root_at(0, TREE.read_node) == empty_root()


def test_an_append_completes_every_node_that_ends_with_the_new_leaf():
    frontier = frontier_at(7, TREE.read_node)

    frontier, completed = frontier.append(TREE.leaves[7])

    assert [(level, index) for level, index, _ in completed] == [(0, 7), (1, 3), (2, 1), (3, 0)]
    assert frontier.hashes == (TREE.read_node(3, 0),)


def test_an_append_leaves_the_old_frontier_as_it_was():
    old = frontier_at(6, TREE.read_node)

    old.append(TREE.leaves[6])

    assert old == frontier_at(6, TREE.read_node)


def test_coordinates_of_an_inclusion_proof_are_complete_nodes_only():
    """Leaf 2 of 11: its neighbour, the pair before, the four after, and the last three leaves as a pair and a leaf."""
    assert inclusion_nodes(2, 11) == ((0, 3), (1, 0), (2, 1), (1, 4), (0, 10))
    assert len(inclusion_proof(2, 11, TREE.read_node)) == 4


def test_coordinates_of_a_consistency_proof_are_complete_nodes_only():
    assert consistency_nodes(6, 11) == ((1, 2), (1, 3), (2, 0), (1, 4), (0, 10))
    assert len(consistency_proof(6, 11, TREE.read_node)) == 4


def test_a_tree_is_consistent_with_itself_without_any_hash():
    assert consistency_proof(11, 11, TREE.read_node) == ()
    verify_consistency(old_size=11, old_root=TREE.root, new_size=11, new_root=TREE.root, proof=())


def test_an_old_tree_that_is_one_subtree_is_left_out_of_the_proof():
    assert consistency_nodes(8, 11) == ((1, 4), (0, 10))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (11, 11), (-1, 11), (2**64, 11), (0, -1), (0, 2**63)])
def test_a_leaf_that_cannot_be_is_malformed(index, size):
    with pytest.raises(Malformed):
        inclusion_nodes(index, size)
    with pytest.raises(Malformed):
        verify_inclusion(leaf_hash=TREE.leaves[0], index=index, size=size, proof=(), root=TREE.root)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 11), (11, 10), (-1, 11), (1, 2**63)])
def test_sizes_that_prove_nothing_are_malformed(old, new):
    with pytest.raises(Malformed):
        consistency_proof(old, new, TREE.read_node)
    with pytest.raises(Malformed):
        verify_consistency(old_size=old, old_root=empty_root(), new_size=new, new_root=TREE.root, proof=())


def test_hashes_of_another_length_are_malformed():
    proof = [*inclusion_proof(2, 11, TREE.read_node)]

    with pytest.raises(Malformed):
        verify_inclusion(leaf_hash=TREE.leaves[2], index=2, size=11, proof=[b"", *proof[1:]], root=TREE.root)
    with pytest.raises(Malformed):
        verify_inclusion(leaf_hash=b"", index=2, size=11, proof=proof, root=TREE.root)
    with pytest.raises(Malformed):
        verify_consistency(old_size=8, old_root=TREE.root, new_size=11, new_root=TREE.root, proof=[b""])
    with pytest.raises(Malformed):
        Frontier(size=1, hashes=(b"",))


def test_a_proof_of_a_million_hashes_is_refused_by_its_length():
    with pytest.raises(Unauthentic):
        verify_inclusion(leaf_hash=TREE.leaves[2], index=2, size=11, proof=[bytes(32)] * 1_000_000, root=TREE.root)


@pytest.mark.parametrize(("size", "count"), [(0, 1), (1, 0), (3, 1), (8, 3), (-1, 1), (2**63, 1)])
def test_a_frontier_has_one_hash_for_each_bit_of_its_size(size, count):
    with pytest.raises(Malformed):
        Frontier(size=size, hashes=(bytes(32),) * count)


def test_the_largest_tree_has_proofs_within_the_limit():
    assert len(inclusion_proof(0, 2**63 - 1, lambda _level, _index: bytes(32))) <= 64
    assert len(consistency_proof(1, 2**63 - 1, lambda _level, _index: bytes(32))) <= 64

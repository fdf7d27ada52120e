"""The tree against the recursive definitions of RFC 6962, written down as they stand there."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from federation.errors import Malformed, Unauthentic
from federation.trust.merkle import (
    consistency_nodes,
    consistency_proof,
    frontier_at,
    inclusion_nodes,
    inclusion_proof,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from tests.support.tree import Tree

SIZE = 70
TREE = Tree.of(SIZE)
CONTENTS = [b"leaf %d" % number for number in range(SIZE)]


def split(size):
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def naive_root(contents):
    if not contents:
        return sha256(b"").digest()
    if len(contents) == 1:
        return sha256(b"\0" + contents[0]).digest()
    middle = split(len(contents))
    return sha256(b"\1" + naive_root(contents[:middle]) + naive_root(contents[middle:])).digest()


def naive_path(index, contents):
    if len(contents) == 1:
        return []
    middle = split(len(contents))
    if index < middle:
        return [*naive_path(index, contents[:middle]), naive_root(contents[middle:])]
    return [*naive_path(index - middle, contents[middle:]), naive_root(contents[:middle])]


def naive_subproof(old, contents, *, whole):
    if old == len(contents):
        return [] if whole else [naive_root(contents)]
    middle = split(len(contents))
    if old <= middle:
        return [*naive_subproof(old, contents[:middle], whole=whole), naive_root(contents[middle:])]
    return [*naive_subproof(old - middle, contents[middle:], whole=False), naive_root(contents[:middle])]


@st.composite
def leaf_in_tree(draw):
    size = draw(st.integers(1, SIZE))
    return draw(st.integers(0, size - 1)), size


@st.composite
def two_sizes(draw):
    new = draw(st.integers(1, SIZE))
    return draw(st.integers(1, new)), new


def test_roots_of_all_sizes_are_those_of_the_definition():
    for size in range(SIZE + 1):
        assert root_at(size, TREE.read_node) == naive_root(CONTENTS[:size])


def test_a_tree_grown_from_any_size_on_is_the_same():
    for size in range(SIZE):
        grown, _ = frontier_at(size, TREE.read_node).append(TREE.leaves[size])
        assert grown == frontier_at(size + 1, TREE.read_node)


@given(leaf_in_tree())
def test_an_inclusion_proof_is_that_of_the_definition_and_verifies(case):
    index, size = case
    TREE.read.clear()

    proof = inclusion_proof(index, size, TREE.read_node)

    assert tuple(TREE.read) == inclusion_nodes(index, size)
    assert list(proof) == naive_path(index, CONTENTS[:size])
    verify_inclusion(leaf_hash=TREE.leaves[index], index=index, size=size, proof=proof, root=naive_root(CONTENTS[:size]))


@given(two_sizes())
def test_a_consistency_proof_is_that_of_the_definition_and_verifies(case):
    old, new = case
    TREE.read.clear()

    proof = consistency_proof(old, new, TREE.read_node)

    assert tuple(TREE.read) == consistency_nodes(old, new)
    assert list(proof) == naive_subproof(old, CONTENTS[:new], whole=True)
    verify_consistency(
        old_size=old, old_root=naive_root(CONTENTS[:old]), new_size=new, new_root=naive_root(CONTENTS[:new]), proof=proof
    )


@given(leaf_in_tree(), st.data())
def test_an_inclusion_proof_holds_for_one_leaf_at_one_place_only(case, data):
    index, size = case
    proof = list(inclusion_proof(index, size, TREE.read_node))
    root = root_at(size, TREE.read_node)
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index) if size > 1 else st.just(size))

    with pytest.raises((Unauthentic, Malformed)):
        verify_inclusion(leaf_hash=TREE.leaves[index], index=other, size=size, proof=proof, root=root)
    with pytest.raises(Unauthentic):
        verify_inclusion(leaf_hash=TREE.leaves[(index + 1) % SIZE], index=index, size=size, proof=proof, root=root)


@given(two_sizes().filter(lambda sizes: sizes[0] < sizes[1]), st.data())
def test_a_log_that_changed_one_leaf_has_no_proof(case, data):
    old, new = case
    changed = data.draw(st.integers(0, old - 1))
    rewritten = Tree()
    for number in range(new):
        rewritten.append(b"rewritten" if number == changed else CONTENTS[number])

    with pytest.raises(Unauthentic):
        verify_consistency(
            old_size=old,
            old_root=root_at(old, TREE.read_node),
            new_size=new,
            new_root=rewritten.root,
            proof=consistency_proof(old, new, rewritten.read_node),
        )


HASHES = st.lists(st.one_of(st.binary(min_size=32, max_size=32), st.binary(max_size=40)), max_size=8)
NUMBERS = st.one_of(st.integers(-2, 80), st.integers())


@settings(max_examples=200)
@given(NUMBERS, NUMBERS, HASHES, st.binary(max_size=40), st.binary(max_size=40))
def test_a_made_up_proof_is_refused_and_nothing_else_happens(first, second, proof, leaf, root):
    assume(leaf != root)  # or it is the proof for a tree of one leaf

    with pytest.raises((Unauthentic, Malformed)):
        verify_inclusion(leaf_hash=leaf, index=first, size=second, proof=proof, root=root)
    if first != second:
        with pytest.raises((Unauthentic, Malformed)):
            verify_consistency(old_size=first, old_root=leaf, new_size=second, new_root=root, proof=proof)

"""Two statements of one log: every real contradiction can be proven, and nobody can be accused of one that is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from federation.errors import FederationError, Malformed, PeerMisbehaviour, Unauthentic
from federation.trust import merkle, note
from federation.trust.keys import SoftwareSigner
from federation.trust.merkle import consistency_proof, frontier_at, inclusion_proof
from federation.trust.note import Checkpoint, Note
from federation.trust.roster import LogKey
from federation.trust.split import SplitView, split_view, verify_split
from federation.wire.directory import decode_split_view, encode_split_view
from tests.support.mutation import mutated
from tests.support.tree import Tree

ORIGIN = "directory.gsp.example"
SIGNER, STRANGER = (SoftwareSigner(bytes([number]) * 32) for number in (7, 8))
KEYS = (LogKey(public_key=SIGNER.public_key),)
SIZE = 40
TREE = Tree.of(SIZE)
SIZES = st.integers(1, SIZE)


def statement(tree: Tree, size: int, *, signer: SoftwareSigner = SIGNER, origin: str = ORIGIN) -> bytes:
    text = Checkpoint(origin=origin, size=size, root=frontier_at(size, tree.read_node).root()).text()
    return note.format_note(Note(text=text, signatures=(note.sign_note(text, ORIGIN, signer),)))


def forked(at: int, size: int = SIZE) -> Tree:
    """The same leaves as `TREE` up to an index, and another one there and from there on."""
    tree = Tree()
    for number in range(size):
        tree.append(b"leaf %d" % number if number < at else b"other %d" % number)
    return tree


FORKS = [forked(at) for at in range(SIZE)]


def checked(view: SplitView) -> tuple[int, int]:
    older, newer = verify_split(view, origin=ORIGIN, keys=KEYS)
    return older.size, newer.size


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_every_fork_at_any_entry_and_of_any_sizes_is_proven(data):
    at = data.draw(st.integers(0, SIZE - 1))
    one, other = data.draw(st.integers(at + 1, SIZE)), data.draw(st.integers(at + 1, SIZE))
    fork, honest = statement(FORKS[at], one), statement(TREE, other)
    larger = FORKS[at] if one > other else TREE

    view = split_view(fork, honest, read_node=larger.read_node)

    assert view is not None
    assert view == split_view(honest, fork, read_node=larger.read_node)
    assert checked(decode_split_view(encode_split_view(view))) == (min(one, other), max(one, other))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_log_that_only_grows_is_never_accused(data):
    one, other = data.draw(SIZES), data.draw(SIZES)

    assert split_view(statement(TREE, one), statement(TREE, other), read_node=TREE.read_node) is None


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_two_logs_agree_about_what_lies_before_their_fork(data):
    at = data.draw(st.integers(1, SIZE - 1))
    older, newer = data.draw(st.integers(1, at)), data.draw(st.integers(at, SIZE))
    assume(older < newer)

    assert split_view(statement(TREE, older), statement(FORKS[at], newer), read_node=FORKS[at].read_node) is None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_hashes_whatever_frame_an_honest_log(data):
    """Whoever lies about the tree: made-up hashes, hashes of another tree, of other sizes, left out, repeated, in another order."""
    old = data.draw(SIZES)
    new = data.draw(st.integers(old, SIZE))
    fork = FORKS[data.draw(st.integers(0, SIZE - 1))]
    pool = [
        *consistency_proof(old, new, TREE.read_node),
        *consistency_proof(old, new, fork.read_node),
        *inclusion_proof(old - 1, new, TREE.read_node),
        frontier_at(old, fork.read_node).root(),
        frontier_at(old, TREE.read_node).root(),
        bytes(32),
    ]
    count = len(consistency_proof(old, new, TREE.read_node)) + data.draw(st.sampled_from([-1, 0, 0, 0, 1]))
    hashes = tuple(data.draw(st.sampled_from(pool)) for _ in range(max(count, 0)))
    view = SplitView(older=statement(TREE, old), newer=statement(TREE, new), root=data.draw(st.sampled_from(pool)), hashes=hashes)

    with pytest.raises(PeerMisbehaviour):
        checked(view)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_changed_proof_shows_the_same_or_nothing(data):
    at = data.draw(st.integers(0, SIZE - 2))
    view = split_view(statement(TREE, at + 1), statement(FORKS[at], SIZE), read_node=FORKS[at].read_node)
    assert view is not None
    raw = data.draw(mutated(encode_split_view(view)))

    try:
        sizes = checked(decode_split_view(raw))
    except FederationError as refusal:
        assert isinstance(refusal, PeerMisbehaviour)  # noqa: PT017  # one of the two, and nothing else
    else:
        assert sizes == (at + 1, SIZE)


def test_statements_under_another_key_or_of_another_log_accuse_nobody():
    honest = statement(TREE, 5)
    for other, words in (
        (statement(FORKS[2], 5, signer=STRANGER), "no known key"),
        (statement(FORKS[2], 5, origin="other.example"), "about another log"),
    ):
        view = split_view(honest, other, read_node=TREE.read_node)
        assert view is not None
        with pytest.raises(Unauthentic, match=words):
            checked(view)


def test_a_key_that_the_log_gave_up_accuses_it_of_nothing_that_came_later():
    """Whoever steals an old log key cannot make the log look forked at sizes that only its successor signs."""
    keys = (LogKey(public_key=STRANGER.public_key, last=10), LogKey(public_key=SIGNER.public_key, first=10))
    for size, proven in ((10, True), (11, False)):
        view = split_view(statement(TREE, 11), statement(FORKS[3], size, signer=STRANGER), read_node=TREE.read_node)
        assert view is not None
        if proven:
            verify_split(view, origin=ORIGIN, keys=keys)
        else:
            with pytest.raises(Unauthentic, match="no known key"):
                verify_split(view, origin=ORIGIN, keys=keys)


def test_a_contradiction_has_one_spelling():
    view = split_view(statement(TREE, 5), statement(FORKS[2], 5), read_node=TREE.read_node)
    assert view is not None

    with pytest.raises(Malformed, match="smaller root stands first"):
        checked(
            replace(view, older=view.newer, newer=view.older, root=note.parse_checkpoint(note.parse_note(view.older).text).root)
        )


def test_the_larger_one_does_not_stand_first():
    view = split_view(statement(TREE, 5), statement(FORKS[2], 9), read_node=FORKS[2].read_node)
    assert view is not None

    with pytest.raises(Malformed, match="no consistency proof"):
        checked(replace(view, older=view.newer, newer=view.older))


def test_nothing_contradicts_the_empty_log():
    empty = Checkpoint(origin=ORIGIN, size=0, root=merkle.empty_root()).text()
    raw = note.format_note(Note(text=empty, signatures=(note.sign_note(empty, ORIGIN, SIGNER),)))

    assert split_view(raw, statement(TREE, 3), read_node=TREE.read_node) is None
    with pytest.raises(Malformed):
        checked(SplitView(older=raw, newer=statement(TREE, 3), root=bytes(32), hashes=()))

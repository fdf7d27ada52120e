"""Accounts as others send them: whose they are, whom they are for, and what may be proved with them to a third party."""

from __future__ import annotations

from dataclasses import replace

import pytest

from federation.boundary.accounts import (
    check_proofs,
    journal_note,
    judge_account,
    read_account,
    read_contradiction,
    read_listing,
    sign_account,
    sign_listing,
)
from federation.boundary.receipts import journal_leaf, sign_receipt
from federation.errors import Forbidden, Malformed, PeerMisbehaviour, Unauthentic
from federation.evidence.account import Account, Head, Judgement, Listing, SignedTelling, Way
from federation.evidence.journal import Epoch, JournalKind, JournalRecord, leaf_hash
from federation.wire.account import Contradiction, encode_contradiction
from tests.support.memory_stores import MemoryTree
from tests.support.parties import treaty_of
from tests.support.samples import message_id, some
from tests.support.virtual_clock import EPOCH

TREATY = treaty_of(3)
ROSTER = TREATY.replica.roster
TELLER, HEARER, OTHER = TREATY.parties
NOW = int(EPOCH)
FIRST = (Epoch(number=1, first=0),)


def tree_of(*contents: str) -> MemoryTree:
    tree = MemoryTree()
    for content in contents:
        tree.append(leaf_hash(salt=bytes(32), content=content.encode()))
    return tree


TRUE = tree_of(*"abcdefgh")
FALSE = tree_of(*"abXdefgh")


def account(tree: MemoryTree, *, at: int = NOW, epochs=FIRST, heads=()) -> Account:
    return Account(
        teller=TELLER.name,
        hearer=HEARER.name,
        at=at,
        checkpoint=journal_note(TELLER.name, epochs, tree.frontier, TELLER.signer),
        epochs=epochs,
        days=(),
        heads=tuple(Head(size=size, root=root) for size, root in heads),
    )


def told(tree: MemoryTree, **fields):
    signed = sign_account(account(tree, **fields), TELLER.signer)
    return read_account(signed, roster=ROSTER, teller=TELLER.name, hearer=HEARER.name)


def root_at(tree_contents: str) -> bytes:
    return tree_of(*tree_contents).frontier.root()


def receipt(tree_contents: str, *, at: int = NOW):
    """A receipt whose checkpoint is of the tree with one more record."""
    tree = tree_of(*tree_contents)
    record = JournalRecord(kind=JournalKind.RECEIVED, at=at, message_id=message_id(1), peer=HEARER.party, digest=some("digest"))
    leaf = journal_leaf(record, salt=some("salt"))
    position = tree.append(leaf.hash())
    signed = sign_receipt(receiver=TELLER.name, digest=some("digest"), leaf=leaf, position=position, signer=TELLER.signer)
    return signed, position


def proof(earlier, later) -> bytes:
    return encode_contradiction(Contradiction(earlier=earlier, account=later))


def judged(earlier, later):
    return read_contradiction(proof(earlier, later), roster=ROSTER)


def signed(tree: MemoryTree, **fields) -> SignedTelling:
    return sign_account(account(tree, **fields), TELLER.signer)


def test_an_account_is_read_as_it_was_told():
    read = told(TRUE, heads=[(3, root_at("abc"))])

    assert (read.held.epoch, read.held.size, read.held.root) == (1, 8, TRUE.frontier.root())
    check_proofs(read, [TRUE.consistency(3, 8)], contradicted=())


@pytest.mark.parametrize(
    "changes", [{"teller": OTHER.name}, {"hearer": OTHER.name}, {"at": NOW + 1}, {"checkpoint": b"no note"}], ids=str
)
def test_an_account_of_another_pair_or_with_changed_bytes_is_refused(changes):
    true = signed(TRUE)
    changed = sign_account(replace(account(TRUE), **changes), OTHER.signer)
    with pytest.raises(PeerMisbehaviour):
        read_account(changed, roster=ROSTER, teller=TELLER.name, hearer=HEARER.name)
    with pytest.raises(PeerMisbehaviour):
        read_account(replace(changed, signature=true.signature), roster=ROSTER, teller=TELLER.name, hearer=HEARER.name)


def test_the_checkpoint_of_an_account_is_the_tellers_and_of_its_newest_epoch():
    foreign = journal_note(OTHER.name, FIRST, TRUE.frontier, OTHER.signer)
    later = (*FIRST, Epoch(number=NOW - 5, first=4))
    old_name = journal_note(TELLER.name, FIRST, TRUE.frontier, TELLER.signer)
    beyond = (*FIRST, Epoch(number=NOW - 5, first=9))
    for wrong, error in (
        (replace(account(TRUE), checkpoint=foreign), Unauthentic),
        (replace(account(TRUE, epochs=later), checkpoint=old_name), Malformed),
        (account(TRUE, epochs=beyond), Malformed),
        (account(TRUE, heads=[(9, bytes(32))]), Malformed),
    ):
        with pytest.raises(error):
            read_account(sign_account(wrong, TELLER.signer), roster=ROSTER, teller=TELLER.name)


def test_a_listing_is_no_account_and_is_for_one_hearer():
    listing = Listing(teller=TELLER.name, hearer=HEARER.name, at=NOW, day=1, way=Way.SENT, after=b"", entries=(), more=False)
    telling = sign_listing(listing, TELLER.signer)

    assert read_listing(telling, roster=ROSTER, teller=TELLER.name, hearer=HEARER.name) == listing
    with pytest.raises(Forbidden):
        read_listing(telling, roster=ROSTER, teller=TELLER.name, hearer=OTHER.name)
    with pytest.raises(PeerMisbehaviour):
        read_account(telling, roster=ROSTER, teller=TELLER.name)
    as_account = SignedTelling(statement=signed(TRUE).statement, signature=telling.signature)
    with pytest.raises(Unauthentic):
        read_account(as_account, roster=ROSTER, teller=TELLER.name)


def test_hashes_that_do_not_lead_from_a_head_to_the_checkpoint_are_refused():
    read = told(TRUE, heads=[(3, root_at("abX"))])
    for proofs, error in (([TRUE.consistency(3, 8)], Unauthentic), ([()], Unauthentic), ([], Malformed)):
        with pytest.raises(error):
            check_proofs(read, proofs, contradicted=())
    check_proofs(read, [()], contradicted={3})


def test_a_receipt_and_an_account_with_another_root_prove_a_rewritten_journal_in_any_order():
    held, position = receipt("ab")
    for at in (NOW - 9, NOW + 9):
        later = signed(TRUE, at=at, heads=[(position.index + 1, root_at("abc"))])
        assert judged(held, later) == (TELLER.name, Judgement.REWRITTEN)


def test_two_accounts_with_one_size_and_two_roots_prove_it_too():
    assert judged(signed(TRUE), signed(FALSE, at=NOW + 1, heads=[(8, FALSE.frontier.root())])) == (
        TELLER.name,
        Judgement.REWRITTEN,
    )


def test_a_shorter_journal_or_an_epoch_that_is_gone_proves_itself_in_a_later_second_alone():
    shorter = tree_of(*"abc")
    epochs = (*FIRST, Epoch(number=NOW - 50, first=4))
    for earlier, later, judgement in (
        (signed(TRUE), {"tree": shorter}, Judgement.SHORTENED),
        (signed(TRUE, epochs=epochs), {"tree": TRUE}, Judgement.EPOCH_GONE),
    ):
        assert judged(earlier, signed(later["tree"], at=NOW + 1)) == (TELLER.name, judgement)
        with pytest.raises(Malformed, match="before"):
            judged(earlier, signed(later["tree"], at=NOW))


def test_a_tree_that_cannot_be_shown_is_proved_only_by_an_account_that_was_asked_for_it():
    held, _ = receipt("ab")
    assert judged(held, signed(TRUE, at=NOW + 1, heads=[(3, b"")])) == (TELLER.name, Judgement.NOT_SHOWN)
    with pytest.raises(Malformed, match="nobody asked"):
        judged(held, signed(TRUE, at=NOW + 1))


def test_an_epoch_that_begins_elsewhere_than_it_did_is_a_contradiction():
    before = told(TRUE, epochs=(*FIRST, Epoch(number=NOW - 50, first=6)))
    after = told(TRUE, epochs=(*FIRST, Epoch(number=NOW - 50, first=2)), heads=[(8, TRUE.frontier.root())])

    assert judge_account(before, after) is Judgement.REWRITTEN


def test_what_a_restored_node_forgot_frames_nobody():
    held, position = receipt("abcdef")
    restored = (*FIRST, Epoch(number=NOW - 50, first=4))
    with pytest.raises(Malformed, match="agree"):
        judged(held, signed(TRUE, at=NOW + 1, epochs=restored, heads=[(position.index + 1, root_at("abcdefg"))]))


def test_statements_that_agree_or_are_not_the_nodes_frame_nobody():
    held, position = receipt("ab")
    with pytest.raises(Malformed, match="agree"):
        judged(held, signed(TRUE, at=NOW + 1, heads=[(position.index + 1, position.root)]))
    forged = SignedTelling(statement=signed(FALSE).statement, signature=signed(TRUE).signature)
    with pytest.raises(Unauthentic):
        judged(held, forged)
    with pytest.raises(Unauthentic):
        judged(replace(held, signature=bytes(64)), signed(TRUE, heads=[(3, root_at("abc"))]))

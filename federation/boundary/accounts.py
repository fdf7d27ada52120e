"""Accounts, listings and contradictions become believed values: whose they are, whom they are for, and what they say of a
checkpoint.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from federation.boundary.receipts import read_journal_checkpoint
from federation.delivery.receipt import SignedReceipt
from federation.errors import Forbidden, Malformed, Unauthentic
from federation.evidence.account import (
    CONTRADICTIONS,
    Account,
    Held,
    Judgement,
    Listing,
    SignedTelling,
    judge,
)
from federation.evidence.journal import FIRST_EPOCH, Epoch, epoch_in, origin
from federation.identity import NodeName
from federation.trust import keys, merkle, note
from federation.trust.keys import Signer
from federation.trust.merkle import Frontier
from federation.trust.note import Checkpoint, Note
from federation.trust.roster import Roster, signing_keys
from federation.wire.account import (
    decode_account,
    decode_contradiction,
    decode_listing,
    encode_account,
    encode_listing,
)
from federation.wire.evidence import decode_receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An account that its teller signed, and the checkpoint in it."""

    account: Account
    checkpoint: Checkpoint
    signed: SignedTelling

    @property
    def held(self) -> Held:
        """The checkpoint as something that the next account has to agree with."""
        return _held(self.checkpoint, self.account.teller)


def journal_note(name: NodeName, epochs: Sequence[Epoch], frontier: Frontier, signer: Signer) -> bytes:
    """A node's own journal as it is now, under the name of its newest epoch."""
    log = origin(name.dns, epochs[-1].number)
    text = Checkpoint(origin=log, size=frontier.size, root=frontier.root()).text()
    return note.format_note(Note(text=text, signatures=(note.sign_note(text, log, signer),)))


def sign_account(account: Account, signer: Signer) -> SignedTelling:
    """An account for its hearer."""
    statement = encode_account(account)
    return SignedTelling(statement=statement, signature=signer.sign(keys.pae("account", statement)))


def sign_listing(listing: Listing, signer: Signer) -> SignedTelling:
    """A listing for its hearer."""
    statement = encode_listing(listing)
    return SignedTelling(statement=statement, signature=signer.sign(keys.pae("listing", statement)))


def read_account(signed: SignedTelling, *, roster: Roster, teller: NodeName, hearer: NodeName | None = None) -> Told:
    """An account that this node signed, for that hearer if one is named.

    Raises:
        Unauthentic: a signature, or the checkpoint in it, is not the teller's.
        Forbidden: it is another node's, or for another.
        Malformed: its checkpoint is not of the newest epoch, or its epochs reach beyond it.
    """
    account = decode_account(signed.statement)
    if account.teller != teller or (hearer is not None and account.hearer != hearer):
        raise Forbidden("an account of another pair of nodes")
    listed = signing_keys(roster, teller, at=account.at)
    keys.verify_any(public_keys=listed, message=keys.pae("account", signed.statement), signature=signed.signature)
    checkpoint = read_journal_checkpoint(note.parse_note(account.checkpoint), node=teller, signing_keys=listed)
    newest = account.epochs[-1]
    if checkpoint.origin != origin(teller.dns, newest.number) or newest.first > checkpoint.size:
        raise Malformed("the checkpoint in an account is not of the newest epoch that it names")
    if any(head.size > checkpoint.size for head in account.heads):
        raise Malformed("an account tells of a journal that is longer than its checkpoint")
    return Told(account=account, checkpoint=checkpoint, signed=signed)


def read_listing(signed: SignedTelling, *, roster: Roster, teller: NodeName, hearer: NodeName) -> Listing:
    """A listing that this node signed for that one.

    Raises:
        Unauthentic, Forbidden: as `read_account`.
    """
    listing = decode_listing(signed.statement)
    if (listing.teller, listing.hearer) != (teller, hearer):
        raise Forbidden("a listing of another pair of nodes")
    listed = signing_keys(roster, teller, at=listing.at)
    keys.verify_any(public_keys=listed, message=keys.pae("listing", signed.statement), signature=signed.signature)
    return listing


def check_proofs(told: Told, proofs: Sequence[Sequence[bytes]], *, contradicted: Collection[int]) -> None:
    """See that every tree that an account tells of continues in its checkpoint.

    Args:
        told: the account.
        proofs: one for each of its heads.
        contradicted: sizes about which it contradicts what was signed before: there is nothing left to show about them.

    Raises:
        Unauthentic, Malformed: the hashes do not show it.
    """
    if len(proofs) != len(told.account.heads):
        raise Malformed("an account comes with another number of proofs than it needs")
    for head, hashes in zip(told.account.heads, proofs, strict=True):
        if head.root and head.size not in contradicted:
            merkle.verify_consistency(
                old_size=head.size,
                old_root=head.root,
                new_size=told.checkpoint.size,
                new_root=told.checkpoint.root,
                proof=hashes,
            )


def held_by_receipt(signed: SignedReceipt) -> Held:
    """The checkpoint in a receipt that was verified when it came."""
    receipt = decode_receipt(signed.statement)
    return _held(note.parse_checkpoint(note.parse_note(receipt.checkpoint).text), receipt.receiver)


def judge_told(held: Held, told: Told) -> Judgement:
    """What an account says about a checkpoint that is held here."""
    account = told.account
    if held.epoch == account.epochs[-1].number and (held.size, held.root) == (told.checkpoint.size, told.checkpoint.root):
        return Judgement.GOOD
    return judge(held, epochs=account.epochs, heads=account.heads, size=told.checkpoint.size)


def judge_account(earlier: Told, told: Told) -> Judgement:
    """What an account says about an earlier one of the same teller."""
    began = {epoch.number: epoch.first for epoch in earlier.account.epochs}
    if any(began.get(epoch.number, epoch.first) != epoch.first for epoch in told.account.epochs):
        return Judgement.REWRITTEN  # an epoch that begins elsewhere than it did would forget what it must not
    return judge_told(earlier.held, told)


def read_contradiction(raw: bytes, *, roster: Roster) -> tuple[NodeName, Judgement]:
    """Whose two statements these are, and how they contradict each other. Whoever has the directory can verify it; nobody else has
    to be believed, for both are signed by the node itself.

    Raises:
        Unauthentic, Forbidden, Malformed: the node did not sign both, or they do not contradict each other.
    """
    contradiction = decode_contradiction(raw)
    teller = decode_account(contradiction.account.statement).teller
    told = read_account(contradiction.account, roster=roster, teller=teller)
    if isinstance(contradiction.earlier, SignedTelling):
        first = read_account(contradiction.earlier, roster=roster, teller=teller)
        held, at, judgement = first.held, first.account.at, judge_account(first, told)
    else:
        held, at = _receipted(contradiction.earlier, roster, teller)
        judgement = judge_told(held, told)
    if judgement not in CONTRADICTIONS:
        raise Malformed("these two statements agree")
    if judgement in {Judgement.SHORTENED, Judgement.EPOCH_GONE} and at >= told.account.at:
        raise Malformed("a journal may be shorter in a statement that was made before")
    if judgement is Judgement.NOT_SHOWN and held.size not in {head.size for head in told.account.heads}:
        raise Malformed("the account does not speak of that size, because nobody asked for it")
    return teller, judgement


def _receipted(earlier: SignedReceipt, roster: Roster, teller: NodeName) -> tuple[Held, int]:
    """The checkpoint in a receipt, under the teller's signature, and when it was made."""
    receipt = decode_receipt(earlier.statement)
    if receipt.receiver != teller:
        raise Forbidden("a receipt of another node")
    listed = signing_keys(roster, teller, at=receipt.received_at)
    keys.verify_any(public_keys=listed, message=keys.pae("receipt", earlier.statement), signature=earlier.signature)
    checkpoint = read_journal_checkpoint(note.parse_note(receipt.checkpoint), node=teller, signing_keys=listed)
    return _held(checkpoint, teller), receipt.received_at


def _held(checkpoint: Checkpoint, node: NodeName) -> Held:
    number = epoch_in(checkpoint.origin, node.dns)
    if number is None:
        raise Unauthentic("a journal's checkpoint is the checkpoint of another log")
    return Held(epoch=number or FIRST_EPOCH, size=checkpoint.size, root=checkpoint.root)

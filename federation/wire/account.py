"""Accounts, listings and contradictions: what two nodes tell each other of what crossed between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from federation import limits
from federation.delivery.receipt import SignedReceipt
from federation.errors import Malformed, Oversized
from federation.evidence.account import Account, Crossed, DayTally, Head, Listing, SignedTelling, Way
from federation.evidence.journal import Epoch
from federation.identity import MESSAGE_ID_BYTES, message_id
from federation.v1 import reconcile_pb2
from federation.wire.evidence import decode_signed_receipt, encode_signed_receipt
from federation.wire.strict import EnumMap, ascending, at_most, decode_node, encode, encode_node, exactly, parse, seconds, total

WAYS: Final = EnumMap(reconcile_pb2.Way, "WAY_", Way)
_DIGEST_BYTES: Final = 32
_DAY_MAX: Final = limits.TIME_S_MAX // 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Two statements of one node that cannot both be true: a receipt or an account, and a later account. Nothing in it is believed."""

    earlier: SignedReceipt | SignedTelling
    account: SignedTelling


def encode_account(account: Account) -> bytes:
    """The bytes that the telling node signs."""
    return encode(
        reconcile_pb2.Account(
            teller=encode_node(account.teller),
            hearer=encode_node(account.hearer),
            at=account.at,
            checkpoint=account.checkpoint,
            epochs=[reconcile_pb2.EpochStart(number=epoch.number, first=epoch.first) for epoch in account.epochs],
            days=[
                reconcile_pb2.DayTally(
                    day=one.day,
                    sent=one.sent,
                    sent_digest=one.sent_digest,
                    received=one.received,
                    received_digest=one.received_digest,
                )
                for one in account.days
            ],
            heads=[reconcile_pb2.JournalHead(size=head.size, root=head.root) for head in account.heads],
        )
    )


@total
def decode_account(raw: bytes) -> Account:
    """Read an account; whether its checkpoint is the teller's is for `federation.boundary.accounts`."""
    message = parse(reconcile_pb2.Account, raw, bytes_max=limits.ACCOUNT_BYTES_MAX)
    at_most(len(message.days), limits.ACCOUNT_DAYS_MAX, "days")
    at_most(len(message.heads), limits.ACCOUNT_HEADS_MAX, "sizes of a journal")
    account = Account(
        teller=decode_node(message.teller),
        hearer=decode_node(message.hearer),
        at=seconds(message.at),
        checkpoint=message.checkpoint,
        epochs=_epochs(message.epochs),
        days=tuple(_decode_day(one) for one in message.days),
        heads=tuple(_decode_head(one) for one in message.heads),
    )
    ascending([one.day for one in account.days], "days")
    ascending([head.size for head in account.heads], "sizes of a journal")
    return account


def _epochs(messages: Iterable[reconcile_pb2.EpochStart]) -> tuple[Epoch, ...]:
    epochs = tuple(Epoch(number=seconds(one.number), first=_size(one.first)) for one in messages)
    at_most(len(epochs), limits.JOURNAL_EPOCHS_MAX, "epochs")
    if not epochs or epochs[0].first != 0:
        raise Malformed("a journal has an epoch that begins with its first record")
    ascending([epoch.first for epoch in epochs], "epochs")
    if len({epoch.number for epoch in epochs}) != len(epochs) or min(epoch.number for epoch in epochs) < 1:
        raise Malformed("two epochs of a journal have one number, or one has none")
    return epochs


def _decode_day(message: reconcile_pb2.DayTally) -> DayTally:
    return DayTally(
        day=_day(message.day),
        sent=_size(message.sent),
        sent_digest=exactly(message.sent_digest, _DIGEST_BYTES, "a digest"),
        received=_size(message.received),
        received_digest=exactly(message.received_digest, _DIGEST_BYTES, "a digest"),
    )


def _decode_head(message: reconcile_pb2.JournalHead) -> Head:
    if message.size == 0:
        raise Malformed("nothing is told of a journal without records")
    root = exactly(message.root, _DIGEST_BYTES, "a root") if message.root else b""
    return Head(size=_size(message.size), root=root)


def encode_listing(listing: Listing) -> bytes:
    """The bytes that the telling node signs."""
    return encode(
        reconcile_pb2.Listing(
            teller=encode_node(listing.teller),
            hearer=encode_node(listing.hearer),
            at=listing.at,
            day=listing.day,
            way=WAYS.number(listing.way),
            after=listing.after,
            entries=[
                reconcile_pb2.Crossed(message_id=one.message_id, commitment=one.commitment, receipted=one.receipted)
                for one in listing.entries
            ],
            more=listing.more,
        )
    )


@total
def decode_listing(raw: bytes) -> Listing:
    """Read a listing."""
    message = parse(reconcile_pb2.Listing, raw, bytes_max=limits.LISTING_ROWS_MAX * 64 + 1_024)
    at_most(len(message.entries), limits.LISTING_ROWS_MAX, "messages")
    listing = Listing(
        teller=decode_node(message.teller),
        hearer=decode_node(message.hearer),
        at=seconds(message.at),
        day=_day(message.day),
        way=WAYS.value(message.way),
        after=_after(message.after),
        entries=tuple(_decode_crossed(one) for one in message.entries),
        more=message.more,
    )
    ascending([listing.after, *(one.message_id for one in listing.entries)], "messages")
    if listing.more and not listing.entries:
        raise Malformed("a listing that goes on has entries")
    if listing.way is Way.RECEIVED and not all(one.receipted for one in listing.entries):
        raise Malformed("what was received is receipted")
    return listing


def _decode_crossed(message: reconcile_pb2.Crossed) -> Crossed:
    return Crossed(
        message_id=message_id(message.message_id),
        commitment=exactly(message.commitment, _DIGEST_BYTES, "a commitment"),
        receipted=message.receipted,
    )


def encode_telling(telling: SignedTelling) -> bytes:
    """An account or a listing as it crosses."""
    return encode(reconcile_pb2.SignedTelling(statement=telling.statement, signature=telling.signature))


@total
def decode_telling(raw: bytes) -> SignedTelling:
    """Statement and signature, nothing believed yet."""
    message = parse(reconcile_pb2.SignedTelling, raw, bytes_max=limits.ACCOUNT_BYTES_MAX + 128)
    return SignedTelling(statement=message.statement, signature=exactly(message.signature, 64, "a signature"))


def encode_contradiction(contradiction: Contradiction) -> bytes:
    """Two statements of one node, for whoever wants to see them."""
    earlier = contradiction.earlier
    return encode(
        reconcile_pb2.Contradiction(
            receipt=encode_signed_receipt(earlier) if isinstance(earlier, SignedReceipt) else b"",
            earlier=encode_telling(earlier) if isinstance(earlier, SignedTelling) else b"",
            account=encode_telling(contradiction.account),
        )
    )


@total
def decode_contradiction(raw: bytes) -> Contradiction:
    """Take it apart; nothing in it is believed yet."""
    message = parse(reconcile_pb2.Contradiction, raw, bytes_max=3 * limits.ACCOUNT_BYTES_MAX)
    if bool(message.receipt) == bool(message.earlier):
        raise Malformed("a contradiction begins with a receipt or with an account")
    earlier = decode_signed_receipt(message.receipt) if message.receipt else decode_telling(message.earlier)
    return Contradiction(earlier=earlier, account=decode_telling(message.account))


def check_sizes(sizes: Iterable[int]) -> tuple[int, ...]:
    """Sizes of a journal that somebody asks about.

    Raises:
        Malformed, Oversized: not in order, or too many.
    """
    given = ascending([_size(size) for size in sizes], "sizes of a journal")
    if len(given) > limits.ACCOUNT_HEADS_MAX:
        raise Oversized(f"{len(given)} sizes of a journal; at most {limits.ACCOUNT_HEADS_MAX} are taken")
    if given and given[0] == 0:
        raise Malformed("nothing can be proved of a journal without records")
    return tuple(given)


def check_listing_request(day: int, after: bytes) -> tuple[int, bytes]:
    """Where somebody wants a listing to begin.

    Raises:
        Malformed: there is no such day or message id.
    """
    return _day(day), _after(after)


def _after(raw: bytes) -> bytes:
    return exactly(raw, MESSAGE_ID_BYTES, "a message id") if raw else b""


def _day(value: int) -> int:
    if value > _DAY_MAX:
        raise Malformed("a day is beyond the year 9999")
    return value


def _size(value: int) -> int:
    if value > limits.TREE_SIZE_MAX:
        raise Malformed("no log has this size")
    return value

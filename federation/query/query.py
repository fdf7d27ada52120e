"""A question about one or many codes, as a value that cannot be wrong in itself."""

from __future__ import annotations

from dataclasses import dataclass

from federation import limits
from federation.envelope.attachment import Attachment, check_attached
from federation.errors import InvalidInput, Oversized
from federation.query.codes import HandlingCode, LegalBasis, Purpose, Urgency
from federation.query.items import Item
from federation.text import check_plain


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeAsked:
    """One code: the canonical key it is asked under, and the raw scan it came from, which stays evidence."""

    key: str
    scan: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.key) <= limits.KEY_CHARACTERS_MAX or not self.key.isprintable():
            raise InvalidInput(f"a code has 1 to {limits.KEY_CHARACTERS_MAX} printable characters")
        if len(self.scan) > limits.SCAN_CHARACTERS_MAX:
            raise Oversized(f"a scan has more than {limits.SCAN_CHARACTERS_MAX} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked and why (Article 8.9).

    Attributes:
        items: what is wanted; none asks only whether the code is known ("hit or no hit"), which is the least that can be asked.
        necessity: why it is necessary for detecting or investigating illicit trade, in words (8.9(b)).
        reference: the asking authority's own case number, or empty.
        market_statement: what the pack itself says of where it may be sold (Article 8.4.3), as the officer read it; or empty.
        reply_key: X-Wing public key made for this query alone; answers are sealed to it.
        attachments: files that go with it.
    """

    codes: tuple[CodeAsked, ...]
    items: frozenset[Item]
    legal_basis: LegalBasis
    purpose: Purpose
    necessity: str
    handling: HandlingCode
    urgency: Urgency
    reference: str
    reply_key: bytes
    market_statement: str = ""
    attachments: tuple[Attachment, ...] = ()

    def __post_init__(self) -> None:
        if not self.codes:
            raise InvalidInput("a query names at least one code")
        if len(self.codes) > limits.CODES_PER_QUERY_MAX:
            raise Oversized(f"a query holds at most {limits.CODES_PER_QUERY_MAX} codes", hint="split the seizure")
        if len({code.key for code in self.codes}) != len(self.codes):
            raise InvalidInput("a code stands twice in the query")
        if not self.necessity.strip():
            raise InvalidInput("the necessity is empty", hint="say why the answer is needed: Article 8.9(b) requires it")
        check_plain(self.necessity, "the necessity", characters_max=limits.NECESSITY_CHARACTERS_MAX, lines=True)
        check_plain(self.reference, "the reference", characters_max=limits.REFERENCE_CHARACTERS_MAX)
        check_plain(self.market_statement, "the market statement", characters_max=limits.MARKET_STATEMENT_CHARACTERS_MAX)
        check_attached(self.attachments)

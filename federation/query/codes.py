"""Coded vocabularies: what is coded needs no translation and can be counted.

The spelling of a member's value is what stands in `--json`, in files and in documents; the numbers on the wire are in
`protos/federation/v1/exchange.proto`, and `federation.wire` refuses every number that has no member here.
"""

from __future__ import annotations

from enum import StrEnum


class LegalBasis(StrEnum):
    """The provision under which something is asked. The interim Focal Point covers Article 8.9 only."""

    ARTICLE_8_9 = "8.9"


class Purpose(StrEnum):
    """Why it is necessary: Article 8.9(b) allows a query only to detect or investigate illicit trade."""

    DETECTION = "detection"
    INVESTIGATION = "investigation"


class Urgency(StrEnum):
    NORMAL = "normal"
    URGENT = "urgent"


class HandlingCode(StrEnum):
    """What the receiver may do with the content (the four codes of Europol's SIENA)."""

    H0 = "H0"
    """Only to prevent and combat illicit trade."""
    H1 = "H1"
    """Not in judicial proceedings without permission."""
    H2 = "H2"
    """Not to be passed on without permission."""
    H3 = "H3"
    """Further restrictions, written in the text."""


class Outcome(StrEnum):
    """What the answering Party says of one code. "Unreachable" is not among them: it is never an answer."""

    FOUND = "found"
    NEVER_ISSUED = "never-issued"
    """The pattern is ours and no such code was issued. It exists only over the signature of the Party whose code it is."""
    NOT_OURS = "not-ours"
    """No pattern of this Party knows the code."""
    REFUSED = "refused"
    """Nothing is said; the reason is coded."""


class Refusal(StrEnum):
    """Why nothing, or not everything, is said: the grounds of Directive (EU) 2023/977, Article 6, and of the forms before it, and what
    stops an authority in practice. Given before look-up, so it never tells existence.
    """

    NEEDS_JUSTIFICATION = "needs-justification"
    NOT_AUTHORISED_BY_DOMESTIC_LAW = "not-authorised-by-domestic-law"
    NEEDS_MUTUAL_LEGAL_ASSISTANCE = "needs-mutual-legal-assistance"
    ONGOING_INVESTIGATION = "ongoing-investigation"
    NATIONAL_SECURITY = "national-security"
    DISPROPORTIONATE_VOLUME = "disproportionate-volume"
    HANDLING_CONDITIONS_NOT_ACCEPTABLE = "handling-conditions-not-acceptable"
    HELD_BY_ANOTHER_AUTHORITY = "held-by-another-authority"
    SYSTEM_DOWN = "system-down"
    LANGUAGE = "language"


class UimStatus(StrEnum):
    """What the issuing Party knows of a code's life (the states of Regulation (EU) 2018/574). Several may hold at once."""

    ISSUED_NOT_APPLIED = "issued-not-applied"
    """Given out by the issuer; no pack with it has been reported."""
    ACTIVE = "active"
    """On a pack."""
    EXPIRED_UNUSED = "expired-unused"
    """Not put on a pack in time, and void since."""
    DESTROYED = "deactivated-destroyed"
    """The goods were destroyed."""
    STOLEN = "deactivated-stolen"
    """The goods were reported stolen."""
    MARKING_DESTROYED = "deactivated-marking-destroyed"
    """The marking alone was destroyed."""
    MARKING_STOLEN = "deactivated-marking-stolen"
    """The marking alone was stolen."""
    DEACTIVATED_UNUSED = "deactivated-unused"
    """Given back without having been used."""
    DEACTIVATED_OTHER = "deactivated-other"
    """Void for another reason."""
    REACTIVATED = "reactivated"
    """Void once, and valid again: stolen goods that were recovered."""
    RECALLED_EVENT = "recalled-event"
    """A report about it was withdrawn."""
    DELIVERED_TO_RETAIL = "delivered-to-retail"
    """At a first retail outlet, where tracing ends by law (Article 8.10)."""
    EXPORTED = "exported"
    """Dispatched to a destination outside the territory."""
    CONFLICT = "conflict"
    """Reports about it contradict each other."""


class Automation(StrEnum):
    """How an answer came about, per Party's policy. The default is manual."""

    MANUAL = "manual"
    """An officer wrote it."""
    ASSISTED = "assisted"
    """An officer looked at the draft from the own records, and signed."""
    AUTOMATIC = "automatic"
    """The policy answered; nobody signed."""

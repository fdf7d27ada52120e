"""Closed vocabularies of markings: where one sits, what it is on, what carries it, and which form of it is the key.

The spelling of a member's value stands in pattern files, in `--json` and in documents; the numbers on the wire belong to
`federation.wire`.
"""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """Packaging level of Article 8.3: unit packets, packages and outside packaging."""

    UNIT = "unit"
    CARTON = "carton"
    CASE = "case"
    PALLET = "pallet"


class ProductClass(StrEnum):
    """Product types of Regulation (EU) 2018/574, Annex II; Article 1.2 of the Protocol counts the first two as cigarettes."""

    CIGARETTE = "cigarette"
    ROLL_YOUR_OWN = "roll-your-own"
    CIGAR = "cigar"
    CIGARILLO = "cigarillo"
    PIPE = "pipe"
    WATERPIPE = "waterpipe"
    ORAL = "oral"
    NASAL = "nasal"
    CHEWING = "chewing"
    NOVEL = "novel"
    OTHER = "other"


class Carrier(StrEnum):
    """What the code is printed as. The first five are those of Regulation (EU) 2018/574, Article 21, and readable text."""

    DATA_MATRIX = "data-matrix"
    QR = "qr"
    DOTCODE = "dotcode"
    CODE_128 = "code-128"
    TEXT = "text"
    CODE_39 = "code-39"
    PDF417 = "pdf417"
    AZTEC = "aztec"
    RFID = "rfid"


class Label(StrEnum):
    """Where a pattern comes from: a source that anyone can read, or made up for tests and demonstrations."""

    PUBLISHED = "published"
    INVENTED = "invented"


class KeyForm(StrEnum):
    """How the text of a key was won from a scan. Application and data identifiers and separators are never part of a key
    (Regulation (EU) 2018/574, Annex III), except in `cis-carton`, where the CIS systems themselves keep them.
    """

    PLAIN = "plain"
    """The text itself, without symbology identifier, data identifier and edges."""
    TPX_TIME = "tpx-time"
    """GTIN (01), third-party serial (235) and time of production (8008): a GS1 unit marking in full."""
    TPX = "tpx"
    """GTIN and third-party serial, without the time."""
    TPX_SERIAL = "tpx-serial"
    """The third-party serial alone: issuer and serial, the part that people can read on a pack."""
    SGTIN = "sgtin"
    """GTIN (01) and serial (21)."""
    SSCC = "sscc"
    """Serial shipping container code (00): 18 digits."""
    CIS_UNIT = "cis-unit"
    """The first 21 of the 29 characters of a CIS pack: GTIN and serial, without price and verification part."""
    CIS_CARTON = "cis-carton"
    """`01` GTIN `21` and a serial of seven characters: 25 characters, the two identifiers included."""
    JOINED = "joined"
    """The values of any other element string, joined in their order."""
    WEB = "web"
    """Host and path of a verification address, without the scheme; the host in lower case (RFC 3986, 6.2.2.1)."""
    CORE = "core"
    """What a pattern keeps of a longer code: the segments that the issuing Party stores."""

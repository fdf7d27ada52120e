"""One target for each parser: bytes in; a value, or one of our errors, out. Whatever else happens is a defect.

`make fuzz` lets a coverage-guided fuzzer find bytes for them; `tests/property/test_fuzz_targets.py` runs each over its seeds and some
changes of them with the other tests.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from federation import limits
from federation.boundary.parcels import compose_parcel, first_line, open_parcel
from federation.boundary.proof import check_proof, findings
from federation.delivery.parcel import LogTail, Parcel
from federation.delivery.timeline import ids_from
from federation.envelope.attachment import check_name
from federation.errors import FederationError
from federation.evidence.bundle import Disclosure
from federation.identity import NodeName, party_id
from federation.limits import SCAN_CHARACTERS_MAX
from federation.trust.desk_code import decode_desk_code
from federation.trust.entries import EntryKind
from federation.trust.join_code import decode_join_code
from federation.trust.keys import SoftwareSigner
from federation.trust.note import parse_checkpoint, parse_note
from federation.uim.address import read_digital_link, read_epc_urn, read_verification_address
from federation.uim.clues import Clues
from federation.uim.codes import Label
from federation.uim.confusable import suggest
from federation.uim.draft import draft_pattern
from federation.uim.gs1 import parse_bracketed, parse_element_string
from federation.uim.library import Library
from federation.uim.pattern import try_examples
from federation.uim.scan import read_scan
from federation.wire import account, directory, envelope, evidence, library, query, strict
from federation.wire.evidence import decode_proof
from federation.wire.library import LibraryFile, encode_library_file
from federation.wire.parcel import encode_parcel, encode_signed_parcel
from federation.wire.patterns import decode_pattern_set, encode_pattern_set
from node.formats.audit_files import Form, check_audit_file, head, render, tail
from node.formats.dotcode.message import read_message
from node.formats.dotcode.reader import read_dotcodes
from node.formats.dotcode.symbol import read_symbol
from node.formats.pattern_text import pattern_file
from node.formats.patterns import read_pattern_file, read_pattern_folder
from node.formats.pictures import look_at_picture
from node.rpc.attachment_desk import decode_facts
from node.rpc.introduction import CERTIFICATE_KEY, VERSION_KEY, read_introduction
from node.use_cases.audit_values import AuditRow, Closing, Search, chained, sign_closing
from node.v1 import attachments_pb2 as pb
from tests.support.crossing import Conversation
from tests.support.treaty import Treaty

CORNERS: Final = 4
NOW: Final = 1_763_942_400
VECTORS: Final = Path(__file__).resolve().parents[1] / "vectors"
CONFIG: Final = Path(__file__).resolve().parents[2] / "config" / "patterns"
SETS: Final = read_pattern_folder(CONFIG)
LIBRARY: Final = Library.build(SETS)
SCANS: Final = (
    "LEAT1xK7mP2qRA1bZ9c19052014",
    "]d20104600439931256" + "21JgXJ5.T\x1d8005112000\x1d93Mdlr",
    "(01)01234567987651(235)51qIgY)<&Jp3*j7SDB(8008)19052014",
    "https://id.gs1.org/01/01234567987651/235/51qIgY%29%3C%26Jp3%2Aj7SDB",
    "urn:epc:id:sgtin:0614141.812345.6789",
    "[)>\x1e06\x1d25SLEAT1xK7mP2qRA1bZ9c19052014\x1e\x04",
    "]C100173324022687654329",
    "https://stamp.example/v/QTABCDEFGHIJKL",
)


@dataclass(frozen=True)
class Target:
    """One parser.

    Attributes:
        run: takes any bytes; raises nothing but what is a defect.
        seeds: what it is for, so that nobody has to guess the way in.
    """

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...] = (b"",)


def _bytes(parse: Callable[[bytes], Any]) -> Callable[[bytes], None]:
    def run(raw: bytes) -> None:
        try:
            parse(raw)
        except FederationError:
            return

    return run


def _text(parse: Callable[[str], Any]) -> Callable[[bytes], None]:
    """Latin-1 gives every text of one byte a character; what is well-formed UTF-8 is tried as that, too."""

    def run(raw: bytes) -> None:
        _bytes(lambda one: parse(one.decode("latin-1")))(raw)
        try:
            other = raw.decode()
        except UnicodeDecodeError:
            return
        _bytes(lambda _one: parse(other))(raw)

    return run


def _resolve(text: str) -> None:
    scan = read_scan(text)
    found = LIBRARY.resolve(scan, now=NOW, clues=Clues(brand="x", language="es", place="qm"))
    assert all(one.score == sum(reason.points for reason in one.reasons) for one in found)
    LIBRARY.near_misses(scan)


def _introduction(raw: bytes) -> None:
    """What a node says of itself: anything at all is read, and what is wrong is blank."""
    told = read_introduction({VERSION_KEY: raw, CERTIFICATE_KEY: raw})
    assert told.version in ("", raw.decode("latin-1"))
    assert 0 <= told.certificate_ends <= limits.TIME_S_MAX


def _suggest(text: str) -> None:
    for one in suggest(LIBRARY, text[:40]):
        assert one.key.text != text


def _set_of_others(raw: bytes) -> None:
    """What a peer gives: decoded, tried, indexed and used; and its bytes have one spelling."""
    own = decode_pattern_set(raw)
    assert encode_pattern_set(own) == raw
    try_examples(own)
    theirs = Library.build([own])
    for scan in SCANS:
        theirs.resolve(read_scan(scan), now=NOW)


def _toml(text: str) -> None:
    own = read_pattern_file(text)
    assert read_pattern_file(pattern_file(own)) == own


def _draft(text: str) -> None:
    draft_pattern(party_id("qx"), "drafted", text.split("\n"), label=Label.INVENTED, now=NOW)


def _parcel(raw: bytes) -> None:
    """What somebody found on a stick: whatever it gives has one spelling."""
    carried = open_parcel(raw)
    assert encode_parcel(carried.parcel) == carried.content
    assert first_line(carried.parcel) + encode_signed_parcel(carried.content, carried.signature) == raw


def _parcel_seed() -> bytes:
    name = NodeName(party=party_id("qm"), node_id="one", domain="nodes.example")
    parcel = Parcel(
        parcel_id=bytes(16),
        sender=name,
        recipient=NodeName(party=party_id("qn"), node_id="one", domain="nodes.example"),
        created=NOW,
        receipts=(b"1",),
        envelopes=(b"2",),
        bundles=(b"3",),
        log=LogTail(first=4, checkpoint=b"5", leaves=(b"6",)),
    )
    return compose_parcel(parcel, SoftwareSigner(bytes(32)))


def _facts(raw: bytes) -> None:
    decode_facts(strict.parse(pb.FileFacts, raw, bytes_max=len(raw)))


def _look(raw: bytes) -> None:
    """Whatever is found lies somewhere, and what is read is no longer than a scan."""
    findings = look_at_picture(raw)
    assert all(len(one.corners) == CORNERS for one in (*findings.readings, *findings.products, *findings.unread))
    assert all(len(one.scan) <= SCAN_CHARACTERS_MAX for one in findings.readings)


def _codewords(raw: bytes) -> None:
    message = read_message([byte % 113 for byte in raw])
    assert message is None or message.text


def _dots(raw: bytes) -> None:
    """A byte for the width, then as many rows of places as there are; the first five rows or so make a symbol."""
    width = max(1, raw[0] if raw else 0)
    places = np.frombuffer(raw[1 : 1 + len(raw[1:]) // width * width], dtype=np.uint8)
    read_symbol((places / 255).astype(np.float32).reshape(-1, width))


def _shades(raw: bytes) -> None:
    """A picture 64 pixels wide without a file around it, so that the fuzzer changes dots and not compressed bytes."""
    height = len(raw) // 64
    if height:
        read_dotcodes(Image.frombytes("L", (64, height), raw[: height * 64]))


def _pictures() -> tuple[bytes, ...]:
    """One small picture in each kind of file, and kinds of pixels that are seldom."""
    drawn = Image.radial_gradient("L").resize((24, 24))
    kinds = [(drawn, "PNG"), (drawn, "JPEG"), (drawn, "WEBP"), (drawn, "BMP")]
    kinds += [(drawn.convert(mode), "PNG") for mode in ("1", "P", "LA", "RGBA", "I;16")]
    kinds += [(drawn.convert("CMYK"), "JPEG")]
    return tuple(_file(picture, kind) for picture, kind in kinds)


def _file(picture: Image.Image, kind: str) -> bytes:
    file = BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def _dots_seed() -> bytes:
    """A lattice like that of DotCode, six pixels from dot to dot."""
    rows, columns = np.mgrid[0:48, 0:64]
    return (127 + 127 * np.cos(rows * np.pi / 3) * np.cos(columns * np.pi / 3)).astype(np.uint8).tobytes()


def _texts(*texts: str) -> tuple[bytes, ...]:
    return tuple(text.encode() for text in texts)


def _vector(file: str, *path: str) -> bytes:
    """One of the published values of the protocol."""
    found = json.loads((VECTORS / f"{file}.json").read_text())
    for part in path:
        found = found[part]
    return bytes.fromhex(found)


def _treaty() -> Treaty:
    treaty = Treaty.make(seed=5)
    treaty.admit("qm")
    treaty.admit("qn")
    return treaty


def _filed() -> tuple[bytes, ...]:
    """A proof with everything in it, and one of silence that shows statements alone."""
    asking, answering = TREATY.parties[party_id("qm")], TREATY.parties[party_id("qn")]
    talk = Conversation(TREATY, asking, answering, by_hand=True)
    silent = talk.silence(talk.proof(asking, disclose=Disclosure.STATEMENTS))
    return evidence.encode_proof(talk.proof(asking)), evidence.encode_proof(silent)


def _check_proof(raw: bytes) -> None:
    """What passes every check can also be told."""
    findings(check_proof(raw, log_key=TREATY.genesis.log_key, genesis_digest=TREATY.genesis_digest))


def _audited() -> tuple[bytes, ...]:
    """An exported search in each of its forms."""
    rows = [AuditRow(position=3, at=NOW, kind="sent", peer="qn", reference="=1", codes=2)]
    closing = Closing(
        node="n1.qm.nodes.gsp.example",
        officer_id="o",
        began=NOW,
        search=Search(),
        rows=1,
        digest=chained(bytes(32), rows),
        erased=0,
        next=-1,
        journal="n1.qm.nodes.gsp.example/journal",
        size=4,
        root=bytes(32),
    )
    signed = sign_closing(closing, AUDIT_SIGNER)
    return tuple((head(form) + render(form, rows) + tail(form, signed)).encode() for form in Form)


AUDIT_SIGNER: Final = SoftwareSigner(bytes(32))
AUDITED: Final = _audited()
TREATY: Final = _treaty()
FILED: Final = _filed()
ENCODED: Final = tuple(encode_pattern_set(one) for one in SETS)
TARGETS: Final = {
    "scan": Target(_text(read_scan), _texts(*SCANS)),
    "resolve": Target(_text(_resolve), _texts(*SCANS)),
    "suggest": Target(_text(_suggest), _texts("LEATlxK7mP2qRA1bZ9c19052014", "QT8CDEFGHIJKL")),
    "element-string": Target(_text(parse_element_string), _texts(SCANS[1][3:], SCANS[6][3:])),
    "bracketed": Target(_text(parse_bracketed), _texts(SCANS[2])),
    "digital-link": Target(_text(read_digital_link), _texts(SCANS[3])),
    "epc-urn": Target(_text(read_epc_urn), _texts(SCANS[4])),
    "verification-address": Target(_text(read_verification_address), _texts(SCANS[7])),
    "pattern-set": Target(_bytes(_set_of_others), ENCODED),
    "pattern-file": Target(_text(_toml), tuple(path.read_bytes() for path in sorted(CONFIG.glob("*.toml")))),
    "draft": Target(_text(_draft), _texts("\n".join(f"QX{number:06}" for number in range(100, 130)))),
    "library-file": Target(
        _bytes(library.decode_library_file),
        (encode_library_file(LibraryFile(leaves=(b"1",), checkpoint=b"2", sets=ENCODED[:1])),),
    ),
    "picture": Target(_bytes(_look), _pictures()),
    "dotcode-message": Target(_bytes(_codewords), (bytes(range(113)), b"\x6a\x61\x12", b"\x70\x01\x02\x03\x6d")),
    "dotcode-symbol": Target(_bytes(_dots), (b"\x0f" + bytes(15 * 10), b"\x18" + b"\xff" * (24 * 15))),
    "dotcode-picture": Target(_bytes(_shades), (_dots_seed(),)),
    "envelope": Target(_bytes(envelope.decode_envelope)),
    "header": Target(_bytes(envelope.decode_header), (_vector("messages", "header", "encoded"),)),
    "statement": Target(_bytes(envelope.decode_statement), (_vector("messages", "statement of a query", "encoded"),)),
    "body": Target(
        _bytes(query.decode_body), (_vector("messages", "query body", "encoded"), _vector("messages", "answer body", "encoded"))
    ),
    "file-name": Target(_text(check_name), _texts("photo.jpg", "../con.pdf")),
    "file-facts": Target(_bytes(_facts), (strict.encode(pb.FileFacts(name="a.jpg", media_type=1, size=1, sha512=bytes(64))),)),
    "policy": Target(_bytes(query.decode_policy), (_vector("messages", "policy", "encoded"),)),
    "parcel": Target(_bytes(_parcel), (_parcel_seed(),)),
    "proof": Target(_bytes(evidence.decode_proof), FILED),
    "proof-check": Target(_bytes(_check_proof), FILED),
    "audit-file": Target(_bytes(partial(check_audit_file, public_key=AUDIT_SIGNER.public_key)), AUDITED),
    "silence": Target(_bytes(evidence.decode_silence), tuple(decode_proof(raw).silence.statement for raw in FILED[1:])),
    "receipt": Target(_bytes(evidence.decode_signed_receipt), (_vector("messages", "receipt", "signed receipt"),)),
    "account": Target(_bytes(account.decode_account)),
    "listing": Target(_bytes(account.decode_listing)),
    "telling": Target(_bytes(account.decode_telling)),
    "contradiction": Target(_bytes(account.decode_contradiction)),
    "entry": Target(_bytes(directory.decode_signed_entry), (_vector("entries", "update", "leaf"),)),
    **{
        f"entry-{kind}": Target(_bytes(partial(directory.decode_entry_body, kind)), (_vector("entries", kind, "encoded"),))
        for kind in EntryKind
    },
    "note": Target(_bytes(parse_note), (b"origin\n1\nAAAA\n\n\xe2\x80\x94 name AAAA\n",)),
    "checkpoint": Target(_bytes(parse_checkpoint), (b"origin\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",)),
    "join-code": Target(_text(decode_join_code), _texts("JOIN-AAAA")),
    "id-prefix": Target(_text(ids_from), _texts("abcd", "0" * 32)),
    "introduction": Target(_introduction, (b"0.2.0", b"\0\0\0\0\x6b\x49\xd2\0")),
    "desk-code": Target(_text(decode_desk_code), _texts("DESK-AAAA")),
}
"""By the name that `make fuzz TARGET=` takes."""

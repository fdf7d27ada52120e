"""Directory entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from google.protobuf.message import Message

from federation import limits
from federation.errors import Malformed
from federation.identity import NodeName, check_domain, party_id
from federation.trust.entries import (
    Admit,
    Authority,
    AuthorityKind,
    Contact,
    EntryBody,
    EntryKind,
    Genesis,
    Mandate,
    NodeEntry,
    Signature,
    SignedEntry,
    Update,
)
from federation.v1 import common_pb2, directory_pb2
from federation.wire.strict import EnumMap, ascending, at_most, encode, exactly, parse, seconds, text, total

KINDS: Final = EnumMap(directory_pb2.EntryKind, "ENTRY_KIND_", EntryKind)
AUTHORITIES: Final = EnumMap(directory_pb2.AuthorityKind, "AUTHORITY_KIND_", AuthorityKind)
SUITES_MAX: Final = 16
"""Whole-suite numbers of one node: there is one today."""
ENDPOINT_CHARACTERS_MAX: Final = 260
"""A DNS name of 253 characters, a colon and a port."""


def encode_signed_entry(entry: SignedEntry) -> bytes:
    """The leaf: these exact bytes are hashed into the log."""
    return encode(
        directory_pb2.SignedEntry(
            kind=KINDS.number(entry.kind),
            body=entry.body,
            signatures=[common_pb2.Signature(public_key=one.public_key, signature=one.signature) for one in entry.signatures],
        )
    )


@total
def decode_signed_entry(leaf: bytes) -> SignedEntry:
    """Read a leaf; its body stays bytes until its signatures are verified. They stand in the order of their keys, each key once."""
    message = parse(directory_pb2.SignedEntry, leaf, bytes_max=limits.ENTRY_BYTES_MAX)
    at_most(len(message.signatures), limits.SIGNATURES_PER_ENTRY_MAX, "signatures")
    ascending((one.public_key for one in message.signatures), "signatures")
    return SignedEntry(
        kind=KINDS.value(message.kind),
        body=message.body,
        signatures=tuple(
            Signature(public_key=exactly(one.public_key, 32, "a key"), signature=exactly(one.signature, 64, "a signature"))
            for one in message.signatures
        ),
    )


def encode_entry_body(body: EntryBody) -> bytes:
    """The bytes that the authors sign."""
    message: Message
    match body:
        case Genesis():
            message = _genesis_message(body)
        case Admit():
            message = directory_pb2.Admit(
                created=body.created,
                party=body.party,
                party_key=body.party_key,
                next_key_hash=body.next_key_hash,
                party_ca=body.party_ca,
                issuing_ca=body.issuing_ca,
            )
        case Update():
            message = _update_message(body)
        case NodeEntry():
            message = _node_message(body)
        case Mandate():
            message = directory_pb2.Mandate(
                created=body.created,
                region=body.region,
                member=body.member,
                serial=body.serial,
                not_after=body.not_after,
            )
    return encode(message)


@total
def decode_entry_body(kind: EntryKind, body: bytes) -> EntryBody:
    """Read the body of an entry of that kind."""
    return _DECODERS[kind](body)


def _genesis_message(body: Genesis) -> Message:
    return directory_pb2.Genesis(
        created=body.created,
        origin=body.origin,
        domain=body.domain,
        log_key=body.log_key,
        root_certificate=body.root_certificate,
        issuing_ca=body.issuing_ca,
        secretariat_ca=body.secretariat_ca,
        founders=body.founders,
        founders_threshold=body.founders_threshold,
        witness_wait_s=body.witness_wait_s,
        recovery_wait_s=body.recovery_wait_s,
    )


def _update_message(body: Update) -> Message:
    return directory_pb2.Update(
        created=body.created,
        party=body.party,
        serial=body.serial,
        display_name=body.display_name,
        region=body.region,
        authorities=[directory_pb2.Authority(kind=AUTHORITIES.number(one.kind), name=one.name) for one in body.authorities],
        contacts=[directory_pb2.Contact(name=one.name, address=one.address) for one in body.contacts],
        pattern_set_version=body.pattern_set_version,
        pattern_set_digest=body.pattern_set_digest,
    )


def _node_message(body: NodeEntry) -> Message:
    return directory_pb2.NodeEntry(
        created=body.created,
        party=body.party,
        serial=body.serial,
        node_id=body.node.node_id,
        domain=body.node.domain,
        endpoint=body.endpoint,
        signing_key=body.signing_key,
        suites=body.suites,
        min_suite=body.min_suite,
    )


def _decode_genesis(raw: bytes) -> Genesis:
    message = parse(directory_pb2.Genesis, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    at_most(len(message.founders), limits.FOUNDERS_MAX, "founders")
    founders = tuple(exactly(key, 32, "a founder's key") for key in ascending(message.founders, "founders"))
    if not 1 <= message.founders_threshold <= len(founders):
        raise Malformed("the threshold of founders is at least one and at most their number")
    return Genesis(
        created=seconds(message.created),
        origin=text(message.origin, limits.NAME_CHARACTERS_MAX, "the origin"),
        domain=check_domain(message.domain),
        log_key=exactly(message.log_key, 32, "the log key"),
        root_certificate=message.root_certificate,
        issuing_ca=message.issuing_ca,
        secretariat_ca=message.secretariat_ca,
        founders=founders,
        founders_threshold=message.founders_threshold,
        witness_wait_s=seconds(message.witness_wait_s),
        recovery_wait_s=seconds(message.recovery_wait_s),
    )


def _decode_admit(raw: bytes) -> Admit:
    message = parse(directory_pb2.Admit, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    return Admit(
        created=seconds(message.created),
        party=party_id(message.party),
        party_key=exactly(message.party_key, 32, "a Party key"),
        next_key_hash=exactly(message.next_key_hash, 32, "the hash of the next Party key"),
        party_ca=message.party_ca,
        issuing_ca=message.issuing_ca,
    )


def _decode_update(raw: bytes) -> Update:
    message = parse(directory_pb2.Update, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    at_most(len(message.authorities), limits.AUTHORITIES_MAX, "authorities")
    at_most(len(message.contacts), limits.CONTACTS_MAX, "contacts")
    names = limits.NAME_CHARACTERS_MAX
    if (message.pattern_set_version == 0) != (message.pattern_set_digest == b""):
        raise Malformed("a pattern set has a version and a digest, or neither")
    if message.pattern_set_digest:
        exactly(message.pattern_set_digest, 32, "the digest of a pattern set")
    return Update(
        created=seconds(message.created),
        party=party_id(message.party),
        serial=message.serial,
        display_name=text(message.display_name, names, "the name of a Party"),
        region=message.region,
        authorities=tuple(
            Authority(kind=AUTHORITIES.value(one.kind), name=text(one.name, names, "the name of an authority"))
            for one in message.authorities
        ),
        contacts=tuple(
            Contact(name=text(one.name, names, "a contact point"), address=text(one.address, names, "an address"))
            for one in message.contacts
        ),
        pattern_set_version=message.pattern_set_version,
        pattern_set_digest=message.pattern_set_digest,
    )


def _decode_node(raw: bytes) -> NodeEntry:
    message = parse(directory_pb2.NodeEntry, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    at_most(len(message.suites), SUITES_MAX, "suites")
    suites = tuple(ascending(message.suites, "suites"))
    if message.min_suite not in suites:
        raise Malformed("the smallest suite that is accepted is among the suites")
    party = party_id(message.party)
    host, colon, port = message.endpoint.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise Malformed("an endpoint is host:port")
    return NodeEntry(
        created=seconds(message.created),
        party=party,
        serial=message.serial,
        node=NodeName(party=party, node_id=message.node_id, domain=message.domain),
        endpoint=text(message.endpoint, ENDPOINT_CHARACTERS_MAX, "an endpoint"),
        signing_key=exactly(message.signing_key, 32, "a signing key"),
        suites=suites,
        min_suite=message.min_suite,
    )


def _decode_mandate(raw: bytes) -> Mandate:
    message = parse(directory_pb2.Mandate, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    if message.region == message.member:
        raise Malformed("nobody gives a mandate to itself")
    return Mandate(
        created=seconds(message.created),
        region=party_id(message.region),
        member=party_id(message.member),
        serial=message.serial,
        not_after=seconds(message.not_after),
    )


_DECODERS: Final[dict[EntryKind, Callable[[bytes], EntryBody]]] = {
    EntryKind.GENESIS: _decode_genesis,
    EntryKind.ADMIT: _decode_admit,
    EntryKind.UPDATE: _decode_update,
    EntryKind.NODE: _decode_node,
    EntryKind.MANDATE: _decode_mandate,
}

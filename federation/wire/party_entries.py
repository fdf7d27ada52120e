"""Bodies of the directory entries that Parties write or sign."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from google.protobuf.message import Message

from federation import limits
from federation.errors import Malformed
from federation.identity import NodeName, party_id
from federation.trust.entries import (
    Administrator,
    AdministratorKind,
    Admit,
    Authority,
    AuthorityKind,
    Ca,
    Confirm,
    Contact,
    EntryBody,
    EntryKind,
    Mandate,
    MandateScope,
    NodeEntry,
    Override,
    Revoke,
    RevokedKind,
    Rotate,
    Update,
    Veto,
    Withdraw,
)
from federation.v1 import directory_pb2
from federation.wire.strict import EnumMap, ascending, at_most, exactly, parse, seconds, text

AUTHORITIES: Final = EnumMap(directory_pb2.AuthorityKind, "AUTHORITY_KIND_", AuthorityKind)
ADMINISTRATORS: Final = EnumMap(directory_pb2.AdministratorKind, "ADMINISTRATOR_KIND_", AdministratorKind)
REVOKED: Final = EnumMap(directory_pb2.RevokedKind, "REVOKED_KIND_", RevokedKind)
SUITES_MAX: Final = 16
"""Whole-suite numbers of one node: there is one today."""
ENDPOINT_CHARACTERS_MAX: Final = 260
"""A DNS name of 253 characters, a colon and a port."""
_MANDATE_ID_BYTES: Final = 12
_SCOPES: Final = {
    directory_pb2.MANDATE_SCOPE_UNSPECIFIED: MandateScope.ANSWER,
    directory_pb2.MANDATE_SCOPE_ADMINISTER: MandateScope.ADMINISTER,
    directory_pb2.MANDATE_SCOPE_BOTH: MandateScope.BOTH,
}
"""Unset means what every mandate of version 0.1.0 meant. Every other number is refused."""
_SCOPE_NUMBERS: Final = {scope: number for number, scope in _SCOPES.items()}


def _admit_message(body: Admit) -> Message:
    return directory_pb2.Admit(
        created=body.created,
        party=body.party,
        party_key=body.party_key,
        next_key_hash=body.next_key_hash,
        party_ca=body.party_ca,
        issuing_ca=body.issuing_ca,
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
        administrators=[
            directory_pb2.Administrator(kind=ADMINISTRATORS.number(one.kind), name=one.name, address=one.address)
            for one in body.administrators
        ],
        pilot=body.pilot,
        profile_version=body.profile_version,
        profile_digest=body.profile_digest,
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


def _mandate_message(body: Mandate) -> Message:
    return directory_pb2.Mandate(
        created=body.created,
        region=body.region,
        member=body.member,
        serial=body.serial,
        not_after=body.not_after,
        scope=_SCOPE_NUMBERS[body.scope],
    )


def _confirm_message(body: Confirm) -> Message:
    return directory_pb2.Confirm(created=body.created, party=body.party, subject=body.subject, admit_digest=body.admit_digest)


def _ca_message(body: Ca) -> Message:
    return directory_pb2.Ca(created=body.created, party=body.party, serial=body.serial, party_ca=body.party_ca)


def _rotate_message(body: Rotate) -> Message:
    return directory_pb2.Rotate(
        created=body.created, party=body.party, party_key=body.party_key, next_key_hash=body.next_key_hash
    )


def _veto_message(body: Veto) -> Message:
    return directory_pb2.Veto(created=body.created, party=body.party, recover_index=body.recover_index)


def _override_message(body: Override) -> Message:
    return directory_pb2.Override(created=body.created, party=body.party, recover_index=body.recover_index)


def _revoke_message(body: Revoke) -> Message:
    return directory_pb2.Revoke(
        created=body.created, party=body.party, kind=REVOKED.number(body.kind), id=body.id, reason=body.reason
    )


def _withdraw_message(body: Withdraw) -> Message:
    return directory_pb2.Withdraw(created=body.created, party=body.party, admit_digest=body.admit_digest)


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
    at_most(len(message.administrators), limits.ADMINISTRATORS_MAX, "administrators")
    return Update(
        created=seconds(message.created),
        party=party_id(message.party),
        serial=message.serial,
        display_name=text(message.display_name, limits.NAME_CHARACTERS_MAX, "the name of a Party"),
        region=message.region,
        authorities=_authorities(message),
        contacts=_contacts(message),
        pattern_set_version=message.pattern_set_version,
        pattern_set_digest=_pinned(message.pattern_set_version, message.pattern_set_digest, "a pattern set"),
        administrators=_administrators(message),
        pilot=message.pilot,
        profile_version=message.profile_version,
        profile_digest=_pinned(message.profile_version, message.profile_digest, "a profile"),
    )


def _pinned(version: int, digest: bytes, what: str) -> bytes:
    """A version and a digest, or neither."""
    if (version == 0) != (digest == b""):
        raise Malformed(f"{what} has a version and a digest, or neither")
    return exactly(digest, 32, f"the digest of {what}") if digest else b""


def _authorities(message: directory_pb2.Update) -> tuple[Authority, ...]:
    return tuple(
        Authority(kind=AUTHORITIES.value(one.kind), name=text(one.name, limits.NAME_CHARACTERS_MAX, "the name of an authority"))
        for one in message.authorities
    )


def _contacts(message: directory_pb2.Update) -> tuple[Contact, ...]:
    names = limits.NAME_CHARACTERS_MAX
    return tuple(
        Contact(name=text(one.name, names, "a contact point"), address=text(one.address, names, "an address"))
        for one in message.contacts
    )


def _administrators(message: directory_pb2.Update) -> tuple[Administrator, ...]:
    names = limits.NAME_CHARACTERS_MAX
    return tuple(
        Administrator(
            kind=ADMINISTRATORS.value(one.kind),
            name=text(one.name, names, "an administrator"),
            address=text(one.address, names, "an address"),
        )
        for one in message.administrators
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
        scope=_scope(message.scope),
    )


def _scope(number: int) -> MandateScope:
    scope = _SCOPES.get(directory_pb2.MandateScope.ValueType(number))
    if scope is None:
        raise Malformed(f"{number} is no scope of a mandate that this version knows")
    return scope


def _decode_confirm(raw: bytes) -> Confirm:
    message = parse(directory_pb2.Confirm, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    if message.party == message.subject:
        raise Malformed("nobody confirms itself")
    return Confirm(
        created=seconds(message.created),
        party=party_id(message.party),
        subject=party_id(message.subject),
        admit_digest=exactly(message.admit_digest, 32, "the digest of an admission"),
    )


def _decode_ca(raw: bytes) -> Ca:
    message = parse(directory_pb2.Ca, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    return Ca(
        created=seconds(message.created),
        party=party_id(message.party),
        serial=message.serial,
        party_ca=message.party_ca,
    )


def _decode_rotate(raw: bytes) -> Rotate:
    message = parse(directory_pb2.Rotate, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    return Rotate(
        created=seconds(message.created),
        party=party_id(message.party),
        party_key=exactly(message.party_key, 32, "a Party key"),
        next_key_hash=exactly(message.next_key_hash, 32, "the hash of the next Party key"),
    )


def _decode_veto(raw: bytes) -> Veto:
    message = parse(directory_pb2.Veto, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    return Veto(created=seconds(message.created), party=party_id(message.party), recover_index=_index(message.recover_index))


def _decode_override(raw: bytes) -> Override:
    message = parse(directory_pb2.Override, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    return Override(created=seconds(message.created), party=party_id(message.party), recover_index=_index(message.recover_index))


def _index(number: int) -> int:
    if number > limits.TREE_SIZE_MAX:
        raise Malformed("no log has an entry of that number")
    return number


def _decode_revoke(raw: bytes) -> Revoke:
    message = parse(directory_pb2.Revoke, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    kind = REVOKED.value(message.kind)
    size = _MANDATE_ID_BYTES if kind is RevokedKind.MANDATE else 32
    return Revoke(
        created=seconds(message.created),
        party=party_id(message.party),
        kind=kind,
        id=exactly(message.id, size, "the name of what is revoked"),
        reason=text(message.reason, limits.REASON_CHARACTERS_MAX, "a reason"),
    )


def _decode_withdraw(raw: bytes) -> Withdraw:
    message = parse(directory_pb2.Withdraw, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    return Withdraw(
        created=seconds(message.created),
        party=party_id(message.party),
        admit_digest=exactly(message.admit_digest, 32, "the digest of an admission"),
    )


ENCODERS: Final[Mapping[type, Callable[[Any], Message]]] = {
    Admit: _admit_message,
    Update: _update_message,
    NodeEntry: _node_message,
    Mandate: _mandate_message,
    Confirm: _confirm_message,
    Ca: _ca_message,
    Rotate: _rotate_message,
    Veto: _veto_message,
    Override: _override_message,
    Revoke: _revoke_message,
    Withdraw: _withdraw_message,
}
DECODERS: Final[Mapping[EntryKind, Callable[[bytes], EntryBody]]] = {
    EntryKind.ADMIT: _decode_admit,
    EntryKind.UPDATE: _decode_update,
    EntryKind.NODE: _decode_node,
    EntryKind.MANDATE: _decode_mandate,
    EntryKind.CONFIRM: _decode_confirm,
    EntryKind.CA: _decode_ca,
    EntryKind.ROTATE: _decode_rotate,
    EntryKind.VETO: _decode_veto,
    EntryKind.OVERRIDE: _decode_override,
    EntryKind.REVOKE: _decode_revoke,
    EntryKind.WITHDRAW: _decode_withdraw,
}

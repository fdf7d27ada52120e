"""Bodies of the directory entries that the founders and the Secretariat write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from google.protobuf.message import Message

from federation import limits
from federation.errors import Malformed
from federation.identity import check_domain, party_id
from federation.trust.entries import (
    Duty,
    EntryBody,
    EntryKind,
    Founders,
    Genesis,
    Recover,
    Reinstate,
    RotateIssuer,
    RotateLog,
    Suspend,
    TreatyPolicy,
    Witnessed,
)
from federation.v1 import directory_pb2
from federation.wire.strict import ascending, at_most, exactly, parse, seconds, text


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
        first_witnesses=body.first_witnesses,
        confirmations=body.confirmations,
    )


def _recover_message(body: Recover) -> Message:
    return directory_pb2.Recover(
        created=body.created,
        serial=body.serial,
        party=body.party,
        party_key=body.party_key,
        next_key_hash=body.next_key_hash,
        party_ca=body.party_ca,
        reason=body.reason,
    )


def _suspend_message(body: Suspend) -> Message:
    return directory_pb2.Suspend(created=body.created, serial=body.serial, party=body.party, reason=body.reason)


def _reinstate_message(body: Reinstate) -> Message:
    return directory_pb2.Reinstate(created=body.created, serial=body.serial, party=body.party)


def _duty_message(body: Duty) -> Message:
    return directory_pb2.Duty(created=body.created, serial=body.serial, party=body.party, on=body.on)


def _policy_message(body: TreatyPolicy) -> Message:
    return directory_pb2.TreatyPolicy(
        created=body.created,
        serial=body.serial,
        witness_wait_s=body.witness_wait_s,
        recovery_wait_s=body.recovery_wait_s,
        confirmations=body.confirmations,
    )


def _founders_message(body: Founders) -> Message:
    return directory_pb2.Founders(created=body.created, serial=body.serial, founders=body.founders, threshold=body.threshold)


def _rotate_log_message(body: RotateLog) -> Message:
    return directory_pb2.RotateLog(created=body.created, serial=body.serial, log_key=body.log_key)


def _rotate_issuer_message(body: RotateIssuer) -> Message:
    return directory_pb2.RotateIssuer(
        created=body.created,
        serial=body.serial,
        issuing_ca=body.issuing_ca,
        secretariat_ca=body.secretariat_ca,
        retire_former=body.retire_former,
    )


def _witnessed_message(body: Witnessed) -> Message:
    return directory_pb2.Witnessed(created=body.created, checkpoint=body.checkpoint)


def _decode_genesis(raw: bytes) -> Genesis:
    message = parse(directory_pb2.Genesis, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    at_most(len(message.first_witnesses), limits.PARTIES_MAX, "witnesses")
    return Genesis(
        created=seconds(message.created),
        origin=text(message.origin, limits.NAME_CHARACTERS_MAX, "the origin"),
        domain=check_domain(message.domain),
        log_key=exactly(message.log_key, 32, "the log key"),
        root_certificate=message.root_certificate,
        issuing_ca=message.issuing_ca,
        secretariat_ca=message.secretariat_ca,
        founders=_founders(message.founders, message.founders_threshold),
        founders_threshold=message.founders_threshold,
        witness_wait_s=seconds(message.witness_wait_s),
        recovery_wait_s=seconds(message.recovery_wait_s),
        first_witnesses=tuple(party_id(one) for one in ascending(message.first_witnesses, "witnesses")),
        confirmations=_confirmations(message.confirmations),
    )


def _founders(keys: Iterable[bytes], threshold: int) -> tuple[bytes, ...]:
    """Keys in ascending order, of which a threshold that can be reached has to sign."""
    founders = tuple(exactly(key, 32, "a founder's key") for key in ascending(keys, "founders"))
    at_most(len(founders), limits.FOUNDERS_MAX, "founders")
    if not 1 <= threshold <= len(founders):
        raise Malformed("the threshold of founders is at least one and at most their number")
    return founders


def _confirmations(number: int) -> int:
    at_most(number, limits.CONFIRMATIONS_MAX, "confirmations")
    return number


def _decode_recover(raw: bytes) -> Recover:
    message = parse(directory_pb2.Recover, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    return Recover(
        created=seconds(message.created),
        serial=message.serial,
        party=party_id(message.party),
        party_key=exactly(message.party_key, 32, "a Party key"),
        next_key_hash=exactly(message.next_key_hash, 32, "the hash of the next Party key"),
        party_ca=message.party_ca,
        reason=_reason(message.reason),
    )


def _reason(value: str) -> str:
    return text(value, limits.REASON_CHARACTERS_MAX, "a reason")


def _decode_suspend(raw: bytes) -> Suspend:
    message = parse(directory_pb2.Suspend, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    return Suspend(
        created=seconds(message.created),
        serial=message.serial,
        party=party_id(message.party),
        reason=_reason(message.reason),
    )


def _decode_reinstate(raw: bytes) -> Reinstate:
    message = parse(directory_pb2.Reinstate, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    return Reinstate(created=seconds(message.created), serial=message.serial, party=party_id(message.party))


def _decode_duty(raw: bytes) -> Duty:
    message = parse(directory_pb2.Duty, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    return Duty(created=seconds(message.created), serial=message.serial, party=party_id(message.party), on=message.on)


def _decode_policy(raw: bytes) -> TreatyPolicy:
    message = parse(directory_pb2.TreatyPolicy, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    return TreatyPolicy(
        created=seconds(message.created),
        serial=message.serial,
        witness_wait_s=seconds(message.witness_wait_s),
        recovery_wait_s=seconds(message.recovery_wait_s),
        confirmations=_confirmations(message.confirmations),
    )


def _decode_founders(raw: bytes) -> Founders:
    message = parse(directory_pb2.Founders, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    return Founders(
        created=seconds(message.created),
        serial=message.serial,
        founders=_founders(message.founders, message.threshold),
        threshold=message.threshold,
    )


def _decode_rotate_log(raw: bytes) -> RotateLog:
    message = parse(directory_pb2.RotateLog, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    return RotateLog(created=seconds(message.created), serial=message.serial, log_key=exactly(message.log_key, 32, "the log key"))


def _decode_rotate_issuer(raw: bytes) -> RotateIssuer:
    message = parse(directory_pb2.RotateIssuer, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    return RotateIssuer(
        created=seconds(message.created),
        serial=message.serial,
        issuing_ca=message.issuing_ca,
        secretariat_ca=message.secretariat_ca,
        retire_former=message.retire_former,
    )


def _decode_witnessed(raw: bytes) -> Witnessed:
    message = parse(directory_pb2.Witnessed, raw, bytes_max=limits.ENTRY_BYTES_MAX)
    return Witnessed(created=seconds(message.created), checkpoint=message.checkpoint)


ENCODERS: Final[Mapping[type, Callable[[Any], Message]]] = {
    Genesis: _genesis_message,
    Recover: _recover_message,
    Suspend: _suspend_message,
    Reinstate: _reinstate_message,
    Duty: _duty_message,
    TreatyPolicy: _policy_message,
    Founders: _founders_message,
    RotateLog: _rotate_log_message,
    RotateIssuer: _rotate_issuer_message,
    Witnessed: _witnessed_message,
}
DECODERS: Final[Mapping[EntryKind, Callable[[bytes], EntryBody]]] = {
    EntryKind.GENESIS: _decode_genesis,
    EntryKind.RECOVER: _decode_recover,
    EntryKind.SUSPEND: _decode_suspend,
    EntryKind.REINSTATE: _decode_reinstate,
    EntryKind.DUTY: _decode_duty,
    EntryKind.POLICY: _decode_policy,
    EntryKind.FOUNDERS: _decode_founders,
    EntryKind.ROTATE_LOG: _decode_rotate_log,
    EntryKind.ROTATE_ISSUER: _decode_rotate_issuer,
    EntryKind.WITNESSED: _decode_witnessed,
}

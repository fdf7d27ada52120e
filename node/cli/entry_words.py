"""An entry that waits for signatures, in plain words: exactly what it says and what it will do, before anybody signs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final

from federation.trust.chain import load_certificate, window_of
from federation.trust.entries import (
    Admit,
    Duty,
    EntryKind,
    Founders,
    Genesis,
    Override,
    Recover,
    Reinstate,
    RotateIssuer,
    RotateLog,
    Suspend,
    TreatyPolicy,
)
from federation.trust.fingerprint import digits_of
from node.ceremony import key_digits
from node.cli.output import Document, clock
from node.formats.ceremony import WaitingEntry
from node.use_cases.founders import read_aloud

Rows = list[tuple[str, str]]


def entry_lines(entry: WaitingEntry) -> list[str]:
    """What a founder reads before signing."""
    title, rows = _explained(entry)
    width = max(len(name) for name, _ in rows)
    return [
        title,
        "",
        *(f"  {name:<{width}}  {value}" for name, value in rows),
        "",
        "Digits to compare, read aloud by another way than the file:",
        "",
        f"  {read_aloud(entry.kind, entry.body)}",
    ]


def entry_document(entry: WaitingEntry) -> Document:
    """The same for programs; `says` holds the rows."""
    title, rows = _explained(entry)
    says = [{"name": name, "value": value} for name, value in rows]
    digits, digest = read_aloud(entry.kind, entry.body), entry.digest.hex()
    return {"kind": entry.kind, "title": title, "says": says, "digits": digits, "sha256": digest}


def _explained(entry: WaitingEntry) -> tuple[str, Rows]:
    explain = _WORDS.get(entry.kind)
    if explain is None:
        return f"An entry of the kind `{entry.kind}`, which a Party writes alone and founders do not sign.", [
            ("bytes", str(len(entry.body)))
        ]
    title, rows = explain(entry.value)
    return title, [*rows, ("made", clock(entry.value.created)), ("SHA-256", entry.digest.hex())]


def certificate_words(der: bytes) -> str:
    """Digits of a certificate, and until when it is valid."""
    return f"{digits_of(sha256(der).digest())}, until {clock(window_of(load_certificate(der)).not_after)[:10]}"


def _genesis(body: Genesis) -> tuple[str, Rows]:
    numbered = enumerate(sorted(body.founders), start=1)
    return f"The founding of the directory of {body.domain}. Every founder signs it; it can never be changed.", [
        ("treaty root", certificate_words(body.root_certificate)),
        ("log key", key_digits(body.log_key)),
        *((f"founder {number}", key_digits(key)) for number, key in numbered),
        ("sign together", f"{body.founders_threshold} of {len(body.founders)} founders"),
        ("issuing CA", certificate_words(body.issuing_ca)),
        ("Secretariat's CA", certificate_words(body.secretariat_ca)),
        ("first witnesses", ", ".join(body.first_witnesses) or "none"),
        ("confirmations", f"{body.confirmations} other Parties confirm a newcomer"),
        ("witnesses wait", _days(body.witness_wait_s)),
        ("recoveries wait", _days(body.recovery_wait_s)),
    ]


def _admit(body: Admit) -> tuple[str, Rows]:
    return f"{body.party} becomes a Party. The digits below are the fingerprint that it reads from its own screen.", [
        ("Party key", key_digits(body.party_key)),
        ("Party CA", certificate_words(body.party_ca)),
    ]


def _recover(body: Recover) -> tuple[str, Rows]:
    return f"{body.party} has lost its keys and gets new ones, after the waiting time and unless its next key vetoes it.", [
        ("new Party key", key_digits(body.party_key)),
        ("new Party CA", certificate_words(body.party_ca) if body.party_ca else "none: it keeps its CA"),
        ("reason", body.reason),
        ("serial", str(body.serial)),
    ]


def _override(body: Override) -> tuple[str, Rows]:
    return f"The veto against the recovery of {body.party} is set aside, when two thirds of the other Parties sign.", [
        ("recovery", f"entry {body.recover_index}"),
    ]


def _suspend(body: Suspend) -> tuple[str, Rows]:
    return f"{body.party} is suspended: nobody exchanges anything with it until it is reinstated.", [
        ("reason", body.reason),
        ("serial", str(body.serial)),
    ]


def _reinstate(body: Reinstate) -> tuple[str, Rows]:
    return f"The suspension of {body.party} ends.", [("serial", str(body.serial))]


def _duty(body: Duty) -> tuple[str, Rows]:
    does = "goes on witness duty; it counts after the waiting time" if body.on else "comes off witness duty at once"
    return f"The node of {body.party} {does}.", [("serial", str(body.serial))]


def _policy(body: TreatyPolicy) -> tuple[str, Rows]:
    return "The numbers of the treaty change to these.", [
        ("witnesses wait", _days(body.witness_wait_s)),
        ("recoveries wait", _days(body.recovery_wait_s)),
        ("confirmations", str(body.confirmations)),
        ("serial", str(body.serial)),
    ]


def _founders(body: Founders) -> tuple[str, Rows]:
    return "These become the founders, and nobody else is one. Every one of them signs, and enough of the former ones.", [
        *((f"founder {number}", key_digits(key)) for number, key in enumerate(body.founders, start=1)),
        ("sign together", f"{body.threshold} of {len(body.founders)}"),
        ("serial", str(body.serial)),
    ]


def _rotate_log(body: RotateLog) -> tuple[str, Rows]:
    return "Another key signs the directory's checkpoints from here on; the former one signs nothing larger.", [
        ("new log key", key_digits(body.log_key)),
        ("serial", str(body.serial)),
    ]


def _rotate_issuer(body: RotateIssuer) -> tuple[str, Rows]:
    former = "ends: nobody is admitted under it any more" if body.retire_former else "stands beside it"
    return "Another CA admits Parties from here on.", [
        ("issuing CA", certificate_words(body.issuing_ca)),
        ("Secretariat's CA", certificate_words(body.secretariat_ca) if body.secretariat_ca else "as before"),
        ("former one", former),
        ("serial", str(body.serial)),
    ]


def _days(seconds: int) -> str:
    return f"{seconds // 86_400} days" if seconds % 86_400 == 0 else f"{seconds} s"


_WORDS: Final[Mapping[EntryKind, Callable[[Any], tuple[str, Rows]]]] = {
    EntryKind.GENESIS: _genesis,
    EntryKind.ADMIT: _admit,
    EntryKind.RECOVER: _recover,
    EntryKind.OVERRIDE: _override,
    EntryKind.SUSPEND: _suspend,
    EntryKind.REINSTATE: _reinstate,
    EntryKind.DUTY: _duty,
    EntryKind.POLICY: _policy,
    EntryKind.FOUNDERS: _founders,
    EntryKind.ROTATE_LOG: _rotate_log,
    EntryKind.ROTATE_ISSUER: _rotate_issuer,
}

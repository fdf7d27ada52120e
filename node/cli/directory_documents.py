"""The directory as JSON: one function for each value that `gsp directory` shows. See `documents`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from federation.ports import Enrolment
from federation.trust.entries import Administrator, Authority, Contact, Mandate, Update
from federation.trust.roster import Recovery
from node.cli.directory_entries import sentence
from node.cli.directory_words import invited_words
from node.cli.output import Document, rfc3339
from node.use_cases.directory_view import ListedAuthority, PartyView, Span, WitnessLine, spans
from node.use_cases.verified_log import DirectoryView, EntryView

ValueType = TypeVar("ValueType")


def head_document(view: DirectoryView) -> dict[str, Any]:
    """What a view stands on."""
    quorum = view.quorum
    return {
        "domain": view.roster.genesis.domain,
        "size": len(view.entries),
        "root": view.root.hex(),
        "time": rfc3339(view.time) if view.time is not None else None,
        "log_key": view.log_key.hex(),
        "quorum": {
            "cosigned": list(quorum.witnesses),
            "of": quorum.of,
            "needed": quorum.needed,
            "founders": quorum.founders,
            "reached": quorum.reached,
        },
        "refused": len(view.refused),
    }


def party_document(one: PartyView) -> dict[str, Any]:
    """Everything that stands of one Party."""
    record, node = one.record, one.record.node
    return {
        "party": one.party,
        "name": record.name,
        "status": record.status,
        "suspended": record.suspended,
        "confirmed": one.confirmed,
        "confirmed_by": sorted(record.confirmed_by),
        "admitted": rfc3339(record.admit.created),
        "entry": record.admit_index,
        "fingerprint": one.fingerprint,
        "party_key": record.party_key.hex() if record.party_key is not None else None,
        "party_cas": [ca.key_hash.hex() for ca in record.cas if ca.der in record.standing_cas],
        "node": {
            "name": node.node.dns,
            "endpoint": node.endpoint,
            "signing_key": node.signing_key.hex(),
            "suites": list(node.suites),
            "min_suite": node.min_suite,
        }
        if node is not None
        else None,
        "answered_by": one.answered_by,
        "witness": {"counts": one.counts, "cosigned": one.cosigned} if one.duty is not None else None,
        "mandates": [_mandate(each) for each in one.mandates],
        "recovery": _recovery(one.recovery) if one.recovery is not None else None,
        **_said(record.update),
    }


def _said(update: Update | None) -> dict[str, Any]:
    if update is None:
        return {"region": False, "patterns": None, "profile": None, "authorities": [], "contacts": [], "administrators": []}
    return {
        "region": update.region,
        "patterns": _pin(update.pattern_set_version, update.pattern_set_digest),
        "profile": _pin(update.profile_version, update.profile_digest),
        "authorities": [authority_document(each) for each in update.authorities],
        "contacts": [_contact(each) for each in update.contacts],
        "administrators": [_administrator(each) for each in update.administrators],
    }


def _pin(version: int, digest: bytes) -> dict[str, Any] | None:
    return {"version": version, "sha256": digest.hex()} if version else None


def authority_document(one: Authority) -> dict[str, Any]:
    """One competent authority."""
    return {"kind": one.kind, "name": one.name}


def listed_document(one: ListedAuthority) -> dict[str, Any]:
    """One line of the list of Article 8.8."""
    return {"party": one.party, "party_name": one.party_name, **authority_document(one.authority)}


def _contact(one: Contact) -> dict[str, Any]:
    return {"name": one.name, "address": one.address}


def _administrator(one: Administrator) -> dict[str, Any]:
    return {"kind": one.kind, "name": one.name, "address": one.address}


def _mandate(one: Mandate) -> dict[str, Any]:
    return {"region": one.region, "member": one.member, "scope": one.scope, "not_after": rfc3339(one.not_after)}


def _recovery(one: Recovery) -> dict[str, Any]:
    return {
        "entry": one.index,
        "reason": one.body.reason,
        "seen": rfc3339(one.seen_at) if one.seen_at is not None else None,
        "vetoed": one.vetoed,
        "overridden": one.overridden,
    }


def invited_document(one: Enrolment, *, now: float) -> Document:
    """A Party that the directory does not list yet."""
    return {"party": one.party, "status": "invited", "since": rfc3339(one.created), "words": invited_words(one, now=now)}


def history_document(view: DirectoryView, one: PartyView) -> Document:
    """What stood of a Party before."""
    contacts = spans(view, one.party, lambda update: update.contacts)
    administrators = spans(view, one.party, lambda update: update.administrators)
    return {
        "contacts": [{**_contact(each.value), **_span(each)} for each in contacts],
        "administrators": [{**_administrator(each.value), **_span(each)} for each in administrators],
    }


def _span(one: Span[Any]) -> dict[str, Any]:
    return {
        "since": rfc3339(one.since),
        "until": rfc3339(one.until) if one.until is not None else None,
        "entries": [one.first, one.last] if one.last is not None else [one.first],
    }


def entry_documents(entries: Iterable[EntryView]) -> list[Document]:
    """Entries of the log."""
    return [entry_document(one) for one in entries]


def entry_document(one: EntryView) -> Document:
    """One entry: what it says, who signed it, and whether it was accepted."""
    return {
        "index": one.index,
        "kind": one.kind,
        "created": rfc3339(one.body.created) if one.body is not None else None,
        "parties": list(one.parties),
        "authors": [{"role": each.role, "party": each.party, "public_key": each.public_key.hex()} for each in one.authors],
        "accepted": not one.refused,
        "reason": one.refused or None,
        "words": sentence(one.body) if one.body is not None else None,
    }


def witness_document(one: WitnessLine) -> Document:
    """A Party on witness duty."""
    return {
        "party": one.party,
        "name": one.name,
        "entry": max(one.duty.index, 0),
        "counts": one.counts,
        "counts_from": rfc3339(one.counts_from) if one.counts_from is not None else None,
        "cosigned_at": rfc3339(one.cosigned_at) if one.cosigned_at is not None else None,
    }

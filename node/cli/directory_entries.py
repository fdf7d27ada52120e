"""What each kind of directory entry says, as one sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from federation.trust.entries import (
    Admit,
    Ca,
    Confirm,
    Duty,
    EntryBody,
    Founders,
    Genesis,
    Mandate,
    MandateScope,
    NodeEntry,
    Override,
    Recover,
    Reinstate,
    Revoke,
    RevokedKind,
    Rotate,
    RotateIssuer,
    RotateLog,
    Suspend,
    TreatyPolicy,
    Update,
    Veto,
    Withdraw,
    Witnessed,
)
from node.cli.output import clock

SCOPES: Final = {
    MandateScope.ANSWER: "answers for",
    MandateScope.ADMINISTER: "administers for",
    MandateScope.BOTH: "answers and administers for",
}
_DAY_S: Final = 86_400


def sentence(body: EntryBody) -> str:
    """What an entry says."""
    return _SENTENCES[type(body)](body)


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many}"


def _genesis(body: Genesis) -> str:
    witnesses = f"; first witnesses {', '.join(body.first_witnesses)}" if body.first_witnesses else ""
    return (
        f"the directory of {body.domain} begins: {counted(len(body.founders), 'founder', 'founders')}, "
        f"{body.founders_threshold} of whom sign together{witnesses}"
    )


def _update(body: Update) -> str:
    parts = [
        f'{body.party} is "{body.display_name}"',
        *(["a region"] if body.region else []),
        *(["a pilot"] if body.pilot else []),
        counted(len(body.authorities), "authority", "authorities"),
        counted(len(body.contacts), "contact point", "contact points"),
        counted(len(body.administrators), "administrator", "administrators"),
        f"pattern set {body.pattern_set_version}" if body.pattern_set_version else "no pattern set",
        f"profile {body.profile_version}" if body.profile_version else "no profile",
    ]
    return "; ".join(parts)


def _node(body: NodeEntry) -> str:
    suites = ", ".join(map(str, body.suites))
    return f"{body.party} runs {body.node.dns} at {body.endpoint}, with suites {suites} and key {short(body.signing_key)}"


def _mandate(body: Mandate) -> str:
    return f"{body.region} {SCOPES[body.scope]} {body.member} until {clock(body.not_after)}"


def _recover(body: Recover) -> str:
    ca = " and a new CA" if body.party_ca else ""
    return f"{body.party} is to get a new Party key{ca} after the waiting time, unless it is vetoed: {body.reason}"


def _revoke(body: Revoke) -> str:
    match body.kind:
        case RevokedKind.MANDATE:
            what = f"the mandate of {body.id[:2].decode('ascii', 'replace')} for {body.id[2:4].decode('ascii', 'replace')}"
        case RevokedKind.SIGNING_KEY:
            what = f"its node's key {short(body.id)}"
        case RevokedKind.PARTY_KEY:
            what = f"its Party key {short(body.id)}"
        case RevokedKind.PARTY_CA:
            what = f"its CA {short(body.id)}"
    return f"{body.party} takes back {what}: {body.reason}"


def _policy(body: TreatyPolicy) -> str:
    return (
        f"a new witness counts after {body.witness_wait_s // _DAY_S} days, a recovery takes effect after "
        f"{body.recovery_wait_s // _DAY_S}, and a new Party needs {counted(body.confirmations, 'confirmation', 'confirmations')}"
    )


def _founders(body: Founders) -> str:
    return (
        f"the founders hand over to {counted(len(body.founders), 'founder', 'founders')}, {body.threshold} of whom sign together"
    )


def _issuer(body: RotateIssuer) -> str:
    former = "; the former one admits nobody any more" if body.retire_former else ""
    return f"another issuing CA admits Parties{', and the Secretariat has a new CA' if body.secretariat_ca else ''}{former}"


def _duty(body: Duty) -> str:
    return f"{body.party} {'goes on' if body.on else 'comes off'} witness duty"


def _admit(body: Admit) -> str:
    return f"{body.party} is admitted with the Party key {short(body.party_key)}"


def _confirm(body: Confirm) -> str:
    return f"{body.party} vouches for the keys with which {body.subject} was admitted"


def _ca(body: Ca) -> str:
    return f"{body.party} has a further CA"


def _rotate(body: Rotate) -> str:
    return f"{body.party} has the Party key {short(body.party_key)} now, the one that it had committed to"


def _veto(body: Veto) -> str:
    return f"{body.party} stops the recovery of entry {body.recover_index}"


def _override(body: Override) -> str:
    return f"two thirds of the other Parties set aside the veto over entry {body.recover_index}, about {body.party}"


def _suspend(body: Suspend) -> str:
    return f"{body.party} is suspended: {body.reason}"


def _reinstate(body: Reinstate) -> str:
    return f"{body.party} is reinstated"


def _withdraw(body: Withdraw) -> str:
    return f"{body.party} leaves"


def _rotate_log(body: RotateLog) -> str:
    return f"checkpoints are signed by the log key {short(body.log_key)} from here on"


def _witnessed(_body: Witnessed) -> str:
    return "witnesses have seen the log up to here"


def short(key: bytes) -> str:
    """The beginning of a key or digest, enough to tell it from others on one screen."""
    return key[:8].hex()


_SENTENCES: Final[Mapping[type, Callable[[Any], str]]] = {
    Genesis: _genesis,
    Admit: _admit,
    Update: _update,
    NodeEntry: _node,
    Mandate: _mandate,
    Confirm: _confirm,
    Ca: _ca,
    Rotate: _rotate,
    Recover: _recover,
    Veto: _veto,
    Override: _override,
    Revoke: _revoke,
    Suspend: _suspend,
    Reinstate: _reinstate,
    Withdraw: _withdraw,
    Duty: _duty,
    TreatyPolicy: _policy,
    Founders: _founders,
    RotateLog: _rotate_log,
    RotateIssuer: _issuer,
    Witnessed: _witnessed,
}

"""The Secretariat's office: takes up what the operator lays into the tray, lays out what waits for signatures, says who waits for what.

tray/          requests of the command line to the running node
pending/       entries that wait: `qm.admit` for each admission, laid out here; proposals such as `0004-duty-qn.duty`, laid out by
               `gsp secretariat propose`, with the signatures that have come beside them
status.json    what this node last knew, for `gsp secretariat status`

A proposal is logged as soon as its rule is satisfied; which that is, is decided where all rules are. What was logged is kept under
`.logged`, without its signatures, which stand in the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from federation.boundary.directory import sign_body
from federation.errors import FederationError, InvalidConfiguration, NotFound, Overloaded
from federation.identity import party_id
from federation.ports import Enrolment, EnrolmentStore
from federation.trust.entries import EntryKind, Recover, RotateLog, Signature
from federation.trust.keys import Signer
from node import limits
from node.formats.ceremony import WaitingEntry, encode_signature, read_entry, read_signature, signature_name
from node.formats.standing import PartyLine, ProposalLine, StatusFile, encode_status, line_of, read_status
from node.keystore import replace_file
from node.store.tray import Approval, Cosignature, Invite, Request, Signed, Tray
from node.use_cases.founders import entitled, make_leaf, read_aloud, require_entitled
from node.use_cases.log import Log
from node.use_cases.registry import Registry
from node.use_cases.secretariat import Admissions, write_invitation
from node.use_cases.standing import standings

logger = logging.getLogger(__name__)

TRAY_S: Final = 0.25
"""How often the running node looks into its tray: a person waits for it."""
_RETRY_S: Final = 60.0
"""How often a proposal that is not logged is tried again: the Secretariat's disk or a witness may have stood in the way."""
_SOON_S: Final = 2.0
"""And how soon when the log takes nothing for a moment."""
_NOT_PROPOSED: Final = frozenset({EntryKind.GENESIS, EntryKind.ADMIT})


@dataclass(slots=True)
class _Proposal:
    """An entry in the folder, with what has come of it."""

    path: Path
    entry: WaitingEntry
    signatures: dict[bytes, Signature]
    since: int
    problem: str = ""
    tried: float = 0.0


class Office:
    """Runs beside the Secretariat's two ports.

    Args:
        home: the folder.
        genesis: digest of the log's first entry.
        store: the same that `admissions` works on.
        log_keys: reads the log keys from where they are kept; a recovery needs the one that stands beside the founders.
    """

    def __init__(
        self,
        home: Path,
        *,
        genesis: bytes,
        registry: Registry,
        log: Log,
        admissions: Admissions,
        store: EnrolmentStore,
        log_keys: Callable[[], tuple[Signer, ...]],
    ) -> None:
        self._home = home
        self._genesis = genesis
        self._registry = registry
        self._log = log
        self._admissions = admissions
        self._store = store
        self._log_keys = log_keys
        self._tray = Tray(home / "tray")
        self._proposals: dict[str, _Proposal] = {}
        self._written: StatusFile | None = None

    async def run(self) -> None:
        """Look into the tray, for ever."""
        while True:
            try:
                await self.look()
            except (FederationError, OSError) as error:  # a full disk: the directory is served all the same
                logger.warning("the tray cannot be emptied", extra={"problem": getattr(error, "code", "disk")})
            await asyncio.sleep(TRAY_S)

    async def look(self) -> None:
        """Everything that there is to do now, once."""
        (self._home / "pending").mkdir(exist_ok=True, mode=0o700)  # a home that was put back has none
        self._read_proposals()
        for path, request in self._tray.take():
            await self._tray.settle(path, self._carry_out(request))
        for proposal in list(self._proposals.values()):
            await self._try_to_log(proposal)
        waiting = {f"{one.party}.admit": one.admit_body for one in await self._admissions.pending()}
        _lay_out(self._home / "pending", waiting, kind="admit")
        offered = self._log.waiting_for(self._log.roster.size - 1)
        checkpoints = {"directory.checkpoint": await self._log.pending()} if offered is not None else {}
        _lay_out(self._home / "pending", checkpoints, kind="checkpoint")
        await self._write_status()

    async def _carry_out(self, request: Request) -> None:
        match request:
            case Invite():
                await write_invitation(
                    self._store,
                    self._registry.roster,
                    party=request.party,
                    token_hash=request.token_hash,
                    created=request.created,
                    anew=request.anew,
                )
            case Approval():
                await self._admissions.approve(request.party, request.signature)
            case Signed():
                self._take_signature(request)
            case Cosignature():
                await self._log.stand_in(request.note)

    def _take_signature(self, request: Signed) -> None:
        """Keep a signature beside the entry that it is for.

        Raises:
            NotFound: no such entry waits.
            Forbidden, Unauthentic: as `require_entitled`.
        """
        found = next(
            (one for one in self._proposals.values() if (one.entry.kind, one.entry.digest) == (request.kind, request.entry)),
            None,
        )
        if found is None:
            raise NotFound("no such entry waits for signatures here", hint="`gsp secretariat status` lists what waits")
        entry = found.entry
        require_entitled(self._log.roster, entry.kind, entry.body, entry.value, request.signature)
        name = signature_name(found.path, request.signature.public_key)
        replace_file(found.path.with_name(name), encode_signature(entry, request.signature))
        found.signatures[request.signature.public_key] = request.signature
        found.tried = 0.0

    def _read_proposals(self) -> None:
        """Take up entries that were laid into the folder since, and forget those that were taken away."""
        paths = {path.name: path for path in _proposed(self._home / "pending")}
        for name in self._proposals.keys() - paths.keys():
            del self._proposals[name]
        for name in sorted(paths.keys() - self._proposals.keys()):
            if len(self._proposals) >= limits.PENDING_ENTRIES_MAX:
                raise Overloaded("too many entries wait for founders", hint="take some out of the folder `pending`")
            try:
                self._proposals[name] = self._proposal(paths[name])
            except FederationError as error:
                logger.warning("a file in `pending` is no entry", extra={"problem": error.code})
                paths[name].rename(paths[name].with_name(f"{name}.refused"))

    def _proposal(self, path: Path) -> _Proposal:
        entry, now, last = read_entry(path), int(self._registry.clock.now()), self._last()
        before = {line.file: line.since for line in last.proposals} if last is not None else {}
        proposal = _Proposal(path=path, entry=entry, signatures={}, since=before.get(path.name, now))
        for beside in sorted(path.parent.glob(f"{path.name}.*.signature")):
            one = read_signature(beside)
            if (one.kind, one.entry) == (entry.kind, entry.digest):
                proposal.signatures[one.signature.public_key] = one.signature
        return proposal

    async def _try_to_log(self, proposal: _Proposal) -> None:
        """Log an entry whose rule is satisfied; until then its own words say what is missing."""
        now = self._registry.clock.now()
        if not proposal.signatures or 0 <= now - proposal.tried < _RETRY_S:
            return
        proposal.tried = now
        entry, roster = proposal.entry, self._log.roster
        collected = [one for key, one in proposal.signatures.items() if key in entitled(roster, entry.value)]
        if isinstance(entry.value, RotateLog | Recover):
            log_keys = self._log_keys()
            self._log.hold(log_keys)
            standing = [signer for signer in log_keys if signer.public_key == roster.governance.log_key]
            collected += [sign_body(entry.kind, entry.body, one) for one in standing if isinstance(entry.value, Recover)]
        try:
            await self._log.append(make_leaf(entry.kind, entry.body, collected))
        except Overloaded as error:  # witnesses are changing, a matter of seconds
            proposal.problem, proposal.tried = error.message, now - _RETRY_S + _SOON_S
            return
        except FederationError as error:
            proposal.problem = error.message
            return
        del self._proposals[proposal.path.name]
        for beside in proposal.path.parent.glob(f"{proposal.path.name}.*.signature"):
            beside.unlink()
        proposal.path.rename(proposal.path.with_name(f"{proposal.path.name}.logged"))

    def _last(self) -> StatusFile | None:
        """What was written last, by this run or the one before."""
        if self._written is None:
            try:
                self._written = read_status(self._home / "status.json")
            except (NotFound, InvalidConfiguration):
                return None
        return self._written

    async def _write_status(self) -> None:
        before, now = self._last(), int(self._registry.clock.now())
        status = await self._status(before, at=before.at if before is not None else now)
        if before is None or status != before or not 0 <= now - before.at < limits.STATUS_S:
            self._written = await self._status(before, at=now)
            replace_file(self._home / "status.json", encode_status(self._written))

    async def _status(self, before: StatusFile | None, *, at: int) -> StatusFile:
        roster, now = self._registry.roster, int(self._registry.clock.now())
        governance, waiting = self._log.roster.governance, self._log.waiting_for(self._log.roster.size - 1)
        since = {(line.party, line.step): line.since for line in (before.parties if before is not None else ())}
        lines: tuple[PartyLine, ...] = tuple(
            line_of(one, since=since.get((one.party, one.step), now)) for one in standings(roster, await self._under_way(before))
        )
        return StatusFile(
            at=at,
            domain=roster.genesis.domain,
            genesis=self._genesis.hex(),
            size=roster.size,
            waiting=self._log.roster.size - roster.size,
            witnesses_cosigned=waiting.cosigned if waiting is not None else 0,
            witnesses_needed=waiting.needed if waiting is not None else 0,
            serial=governance.serial,
            founders=tuple(key.hex() for key in governance.founders),
            threshold=governance.founders_threshold,
            witness_wait_s=governance.witness_wait_s,
            recovery_wait_s=governance.recovery_wait_s,
            confirmations=governance.confirmations,
            log_key=governance.log_key.hex(),
            issuing_ca=governance.issuing_cas[-1].hex(),
            secretariat_ca=governance.secretariat_cas[-1].hex(),
            parties=lines,
            proposals=tuple(self._line(one) for _, one in sorted(self._proposals.items())),
        )

    async def _under_way(self, before: StatusFile | None) -> list[Enrolment]:
        """Those that are not in the published directory: also those that are logged and wait for witnesses."""
        waiting = {one.party: one for one in await self._store.pending()}
        named = [party_id(line.party) for line in before.parties] if before is not None else []
        for party in named:
            if party not in waiting and party not in self._registry.roster.parties:
                known = await self._store.enrolment(party)
                waiting |= {party: known} if known is not None else {}
        return list(waiting.values())

    def _line(self, proposal: _Proposal) -> ProposalLine:
        return ProposalLine(
            file=proposal.path.name,
            kind=proposal.entry.kind,
            since=proposal.since,
            digits=read_aloud(proposal.entry.kind, proposal.entry.body),
            signed=tuple(sorted(key.hex() for key in proposal.signatures)),
            needed=self._log.roster.governance.founders_threshold,
            problem=proposal.problem,
        )


def _proposed(folder: Path) -> Iterator[Path]:
    """Files in the folder whose names end in a kind that somebody proposes."""
    kinds = {f".{kind}" for kind in EntryKind} - {f".{kind}" for kind in _NOT_PROPOSED}
    return (path for path in folder.iterdir() if path.suffix in kinds and path.is_file())


def _lay_out(folder: Path, waiting: Mapping[str, bytes], *, kind: str) -> None:
    """Make the folder hold exactly what waits of a kind. Each file is there whole or not at all: founders' programs read it at any
    moment.
    """
    there = {path.name for path in folder.glob(f"*.{kind}")}
    for name, body in waiting.items():
        if name not in there or (folder / name).read_bytes() != body:
            draft = folder / f"{name}.draft"
            draft.write_bytes(body)
            draft.rename(folder / name)
    for name in there - waiting.keys():
        for settled in (folder / name, *folder.glob(f"{name}.*.signature"), *folder.glob(f"{name}.*.cosigned")):
            settled.unlink()

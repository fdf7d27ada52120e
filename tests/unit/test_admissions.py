"""Letting Parties in, when founders, disks and the order of things are against it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from hashlib import sha512

import pytest
from nacl.bindings import (
    crypto_core_ed25519_scalar_add,
    crypto_core_ed25519_scalar_mul,
    crypto_core_ed25519_scalar_reduce,
    crypto_scalarmult_ed25519_base_noclamp,
)

from federation.boundary.directory import sign_body
from federation.errors import StoreUnavailable
from federation.identity import PartyId
from federation.ports import Enrolment
from federation.trust import directory
from federation.trust.enrolment import Step, token_hash
from federation.trust.entries import EntryKind
from federation.trust.issuing import make_request
from federation.trust.keys import SoftwareSigner
from node.use_cases.log import Log
from node.use_cases.registry import Registry
from node.use_cases.registry_values import Application
from node.use_cases.secretariat import Admissions, write_invitation
from node.use_cases.world import World
from tests.support import acts
from tests.support.directory_bench import Bench, treaty_with
from tests.support.memory_stores import MemoryDirectory, MemoryEnrolments
from tests.support.treaty import NOW, PartyMaterial, Treaty, entropy, secret

QM = PartyId("qm")
TOKEN = b"t" * 16


class Clock:
    def now(self) -> float:
        return NOW


class SlowEnrolments(MemoryEnrolments):
    """Between reading and writing others get their turn, as with a real disk."""

    async def enrolment(self, party: PartyId) -> Enrolment | None:
        found = await super().enrolment(party)
        await asyncio.sleep(0)
        return found


class Office:
    """A Secretariat that has invited one Party, and that Party."""

    def __init__(self, treaty: Treaty, store: MemoryEnrolments, log: Log, admissions: Admissions) -> None:
        self.treaty = treaty
        self.store = store
        self.log = log
        self.admissions = admissions
        self.party: PartyMaterial = treaty.material("qm")

    async def enrolled(self) -> bytes:
        """The entry that Party and founders sign."""
        application = Application(
            party=QM,
            party_ca_request=make_request(self.party.ca.key),
            party_key=self.party.key.public_key,
            next_key_hash=bytes(32),
        )
        return (await self.admissions.enrol(TOKEN, application)).admit_body

    async def accept(self, body: bytes) -> Step:
        return (await self.admissions.accept(TOKEN, QM, sign_body(EntryKind.ADMIT, body, self.party.key))).step

    async def approve(self, body: bytes, founder: SoftwareSigner) -> Step:
        return (await self.admissions.approve(QM, sign_body(EntryKind.ADMIT, body, founder))).step


@pytest.fixture
async def office() -> Office:
    treaty = Treaty.make(seed=41)
    disk, store = MemoryDirectory(), SlowEnrolments()
    await disk.append(first=0, leaves=treaty.log, checkpoint=treaty.checkpoint())
    registry = await Registry.load(disk, treaty.genesis_digest, Clock())
    log = await Log.load(registry=registry, publications=disk, signer=treaty.log_signer)
    await write_invitation(store, registry.roster, party=QM, token_hash=token_hash(TOKEN, QM), created=NOW)
    admissions = Admissions(
        world=World(clock=Clock(), entropy=entropy(41, "office")),
        registry=registry,
        log=log,
        store=store,
        issuer=lambda: treaty.issuer,
        directory_endpoint="secretariat.example:443",
        genesis_leaf=treaty.log[0],
    )
    return Office(treaty, store, log, admissions)


async def test_founders_and_the_party_may_sign_in_the_same_moment(office):
    body = await office.enrolled()
    first, second, _ = office.treaty.founders

    await asyncio.gather(office.approve(body, first), office.accept(body), office.approve(body, second))

    assert (await office.admissions.status(TOKEN, QM)).step is Step.LOGGED


async def test_a_founder_who_signs_in_two_ways_counts_once_and_spoils_nothing(office):
    body = await office.enrolled()
    first, second, _ = office.treaty.founders
    await office.accept(body)
    once = sign_body(EntryKind.ADMIT, body, first)
    await office.admissions.approve(QM, once)

    # Whoever holds an Ed25519 key can make any number of true signatures of one message.
    message = directory.entry_message(EntryKind.ADMIT, body)
    twice = replace(once, signature=another_signature(secret(41, "founder 0"), message, first.public_key))
    assert twice != once
    assert (await office.admissions.approve(QM, twice)).founders_signed == 1

    assert await office.approve(body, second) is Step.LOGGED


def another_signature(seed: bytes, message: bytes, public_key: bytes) -> bytes:
    """RFC 8032 with a nonce of one's own choice: true, and different from the one that every program makes."""
    scalar = bytearray(sha512(seed).digest()[:32])
    scalar[0] &= 248
    scalar[31] = scalar[31] & 127 | 64
    nonce = crypto_core_ed25519_scalar_reduce(bytes(range(64)))
    commitment = crypto_scalarmult_ed25519_base_noclamp(nonce)
    challenge = crypto_core_ed25519_scalar_reduce(sha512(commitment + public_key + message).digest())
    reduced = crypto_core_ed25519_scalar_reduce(bytes(scalar) + bytes(32))
    return commitment + crypto_core_ed25519_scalar_add(nonce, crypto_core_ed25519_scalar_mul(challenge, reduced))


async def test_an_admission_is_logged_later_when_the_disk_failed_in_between(office, monkeypatch):
    body = await office.enrolled()
    first, second, _ = office.treaty.founders
    await office.approve(body, first)
    await office.approve(body, second)
    append = office.log.append

    async def failing(leaf: bytes) -> int:
        raise StoreUnavailable("full")

    monkeypatch.setattr(office.log, "append", failing)
    with pytest.raises(StoreUnavailable):
        await office.accept(body)
    monkeypatch.setattr(office.log, "append", append)

    assert (await office.admissions.status(TOKEN, QM)).step is Step.LOGGED


# --- with witnesses ---------------------------------------------------------------------------------------------------------------


async def witnessed_office() -> tuple[Office, Bench]:
    """As above, with two Parties on witness duty, whose nodes run."""
    bench = await Bench.make(treaty_with("qn", "qo", witnesses=("qn", "qo"), seed=43))
    store = SlowEnrolments()
    roster = bench.office.registry.roster
    await write_invitation(store, roster, party=QM, token_hash=token_hash(TOKEN, QM), created=NOW)
    admissions = Admissions(
        world=World(clock=Clock(), entropy=entropy(43, "office")),
        registry=bench.office.registry,
        log=bench.office.log,
        store=store,
        issuer=lambda: bench.treaty.issuer,
        directory_endpoint="secretariat.example:443",
        genesis_leaf=bench.treaty.log[0],
    )
    return Office(bench.treaty, store, bench.office.log, admissions), bench


async def test_an_admission_waits_for_witnesses_and_says_so():
    office, bench = await witnessed_office()
    body = await office.enrolled()
    first, second, _ = office.treaty.founders
    await office.accept(body)
    await office.approve(body, first)

    assert await office.approve(body, second) is Step.APPROVED
    await bench.attend("qn")
    state = await office.admissions.status(TOKEN, QM)
    assert state.words == "the directory waits for witnesses: 1 of 2"
    await bench.attend("qo")
    assert (await office.admissions.status(TOKEN, QM)).step is Step.LOGGED


async def test_an_admission_that_comes_while_witnesses_change_is_logged_a_little_later():
    office, bench = await witnessed_office()
    body = await office.enrolled()
    first, second, _ = office.treaty.founders
    await office.accept(body)
    await office.approve(body, first)
    await bench.office.append(acts.duty(bench.treaty, PartyId("qo"), on=False, serial=1))

    assert await office.approve(body, second) is Step.ACCEPTED
    await bench.attend("qn", "qo")
    assert (await office.admissions.status(TOKEN, QM)).step is Step.APPROVED
    for _ in range(3):
        await bench["qn"].follow()
        await bench.attend("qn")
    assert (await office.admissions.status(TOKEN, QM)).step is Step.LOGGED

"""What is said of every key, and when it begins to be urgent."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from federation import limits
from federation.errors import Conflict, KeysUnavailable
from federation.identity import OfficerName, PartyId
from federation.ports import DecryptionKey, KeyUse
from federation.trust import issuing
from federation.trust.chain import Window, load_certificate, window_of
from federation.trust.entries import Ca, Revoke, RevokedKind
from federation.trust.issuing import Authority
from federation.trust.keys import SoftwareSigner
from node.use_cases.desk_values import Health, KeyPlace
from node.use_cases.key_report import KeyReport, TlsFacts, health_of
from node.use_cases.officers import Officer, OfficerCertificate, OfficerState
from node.use_cases.own_keys import HeldKey, OwnKeys, StandingSigner, ca_key_hash
from tests.support.memory_officers import registered
from tests.support.treaty import DAY, NOW, Treaty, entropy, secret

QM = PartyId("qm")


class Registry:
    """The directory of a treaty, as it stands at the moment of asking."""

    def __init__(self, treaty: Treaty) -> None:
        self._treaty = treaty

    @property
    def roster(self):
        return self._treaty.roster


@dataclass
class Clock:
    at: float = NOW

    def now(self) -> float:
        return self.at


@dataclass
class HeldCa:
    key: object
    certificate: bytes | None = None


class Keys:
    """What lies in a custody that a test fills."""

    def __init__(self, material) -> None:
        self.signing = [material.signer]
        self.party = [material.key]
        self.ca = [HeldCa(material.ca.key)]
        self.gone = False

    def signers(self, role):
        if self.gone:
            raise KeysUnavailable("the token is not there")
        return tuple(self.signing if role == "signing" else self.party)

    def cas(self):
        return tuple(self.ca)

    def inventory(self):
        held = [("signing", one.public_key) for one in self.signing] + [("party", one.public_key) for one in self.party]
        held += [("ca", ca_key_hash(one.key)) for one in self.ca]
        return tuple(HeldKey(role=role, name=role, id=one, place=KeyPlace.FILE, retired=False) for role, one in held)

    def reload(self):
        """Everything is here."""


class Scene:
    """A Party in a directory, its keys, and a clock."""

    def __init__(self) -> None:
        self.treaty = Treaty.make(seed=31)
        for party in ("qm", "qn"):
            self.treaty.admit(party)
        self.material = self.treaty.parties[QM]
        self.keys, self.clock = Keys(self.material), Clock()
        self.own = OwnKeys(party=QM, registry=Registry(self.treaty), clock=self.clock, source=self.keys)
        self.decryption: tuple[DecryptionKey, ...] = ()
        self.officers: tuple[Officer, ...] = ()
        self.tls: TlsFacts | None = None

    @property
    def report(self) -> KeyReport:
        async def decryption_keys():
            return self.decryption

        async def officers():
            return self.officers

        return KeyReport(
            party=QM,
            roster=lambda: self.treaty.roster,
            own_keys=self.own,
            decryption_keys=decryption_keys,
            officers=officers,
            tls=lambda: self.tls,
            now=self.clock.now,
        )

    async def line(self, name: str, place: int = 0):
        return [line for line in await self.report.lines() if line.name == name][place]

    async def check(self, name: str):
        (found,) = [check for check in await self.report.checks() if check.name == name]
        return found

    def successor(self, *, announced: bool = True, at: float | None = None) -> Authority:
        at = self.clock.at if at is None else at
        key = issuing.key_from_seed(secret(31, f"ca {at}"))
        certificate = issuing.make_successor_ca(
            key=key, party=QM, domain=self.treaty.domain, now=at, entropy=entropy(31, "successor")
        )
        self.keys.ca.append(HeldCa(key, certificate))
        if announced:
            serial = self.treaty.roster.party(QM).ca_serial + 1
            self.treaty.enter(Ca(created=int(at), party=QM, serial=serial, party_ca=certificate), self.material.key)
        self.own.refresh()
        return Authority(certificate=certificate, key=key)

    def new_signing_key(self, *, serial: int = 2, held: bool = True) -> SoftwareSigner:
        signer = SoftwareSigner(secret(31, f"signing {serial}"))
        entry = self.treaty.node_entry(replace(self.material, signer=signer), serial=serial)
        self.treaty.enter(replace(entry, created=int(self.clock.at)), self.material.key)
        if held:
            self.keys.signing.append(signer)
        return signer

    def revoke(self, kind: RevokedKind, identifier: bytes) -> None:
        self.treaty.enter(
            Revoke(created=int(self.clock.at), party=QM, kind=kind, id=identifier, reason="stolen"), self.material.key
        )

    @property
    def window(self) -> Window:
        return window_of(load_certificate(self.material.ca.certificate))

    def at_left(self, left: float) -> None:
        self.clock.at = self.window.not_after - left * (self.window.not_after - self.window.not_before)


@pytest.fixture
def scene() -> Scene:
    return Scene()


# --- which key counts ---


def test_a_new_ca_stands_before_it_issues(scene):
    first, second = scene.own.ca().certificate, scene.successor().certificate
    scene.clock.at += limits.CA_STANDS_S - 1
    assert scene.own.ca().certificate == first
    scene.clock.at += 1

    assert scene.own.ca().certificate == second


def test_a_new_ca_issues_at_once_when_the_one_before_is_revoked_or_has_ended(scene):
    second = scene.successor(at=scene.window.not_after - DAY).certificate
    scene.clock.at = scene.window.not_after - DAY
    assert scene.own.ca().certificate == scene.material.ca.certificate
    scene.clock.at = scene.window.not_after + 1
    assert scene.own.ca().certificate == second

    scene.clock.at = scene.window.not_after - DAY
    scene.revoke(RevokedKind.PARTY_CA, ca_key_hash(scene.material.ca.key))
    assert scene.own.ca().certificate == second


def test_a_ca_that_was_handed_in_and_not_read_yet_is_used_when_nothing_else_is_left(scene):
    second = scene.successor(announced=False, at=scene.window.not_after).certificate
    scene.clock.at = scene.window.not_after + 1

    assert scene.own.ca().certificate == second


def test_without_any_ca_the_way_back_is_named(scene):
    scene.clock.at = scene.window.not_after + 1
    with pytest.raises(Conflict, match="every CA of this Party has ended") as ended:
        scene.own.ca()

    assert "gsp keys rotate ca" in ended.value.hint


def test_a_new_signing_key_stands_for_a_minute_before_it_signs(scene):
    signer, first = StandingSigner(scene.own), scene.material.signer.public_key
    second = scene.new_signing_key().public_key
    assert signer.public_key == first
    scene.clock.at += limits.SIGNING_STANDS_S

    assert signer.public_key == second
    assert signer.sign(b"message") == scene.keys.signing[1].sign(b"message")


def test_a_new_signing_key_signs_at_once_when_the_one_before_was_revoked(scene):
    second = scene.new_signing_key().public_key
    scene.revoke(RevokedKind.SIGNING_KEY, scene.material.signer.public_key)

    assert scene.own.signer().public_key == second


def test_a_signing_key_that_another_process_made_is_found_when_the_directory_lists_it(scene):
    scene.own.signer()
    second = scene.new_signing_key()
    scene.clock.at += limits.SIGNING_STANDS_S

    assert scene.own.signer().public_key == second.public_key
    assert scene.own.announced_signing_key() == second.public_key


def test_a_token_that_is_gone_takes_no_key_from_what_was_known(scene):
    scene.own.signer()
    scene.new_signing_key(held=False)
    scene.clock.at += limits.SIGNING_STANDS_S
    scene.keys.gone = True

    assert scene.own.signer().public_key == scene.material.signer.public_key
    with pytest.raises(KeysUnavailable):
        scene.own.refresh()


def test_the_desk_shows_itself_under_a_new_ca_when_no_officers_program_can_have_missed_it(scene):
    first, second = scene.own.desk_ca().certificate, scene.successor().certificate
    scene.clock.at += limits.DESK_CA_STANDS_S - 1
    assert (scene.own.ca().certificate, scene.own.desk_ca().certificate) == (second, first)
    scene.clock.at += 1
    assert scene.own.desk_ca().certificate == second


def test_the_desk_shows_itself_under_no_ca_that_was_revoked(scene):
    second = scene.successor().certificate
    scene.revoke(RevokedKind.PARTY_CA, ca_key_hash(scene.material.ca.key))
    assert scene.own.desk_ca().certificate == second


# --- what is said ---


def an_officer(scene: Scene, number: int, *, state: OfficerState = OfficerState.ACTIVE, withdrawn: int | None = None) -> Officer:
    name = OfficerName(party=QM, officer_id=f"officer{number}x", domain=scene.treaty.domain)
    signer = SoftwareSigner(secret(31, f"officer {number}"))
    der = issuing.issue_officer_certificate(
        signer.public_key, name=name, ca=scene.material.ca, now=NOW + number * DAY, entropy=entropy(31, f"officer {number}")
    )
    end = window_of(load_certificate(der)).not_after
    certificate = OfficerCertificate(der=der, not_after=end, withdrawn=withdrawn)
    return replace(registered(name, der), state=state, certificates=(certificate,))


async def test_officers_have_one_line_with_how_many_of_their_certificates_end_soon(scene):
    scene.officers = (
        *(an_officer(scene, number) for number in (0, 30, 60)),
        an_officer(scene, 1, state=OfficerState.WITHDRAWN),
        an_officer(scene, 2, withdrawn=NOW),
    )
    for at, health, words in (
        (60, Health.GOOD, "3 that sign"),
        (75, Health.WARNING, "1 of them end soon"),
        (85, Health.BAD, "gsp officers renew"),
        (95, Health.WARNING, "1 have ended"),
        (125, Health.WARNING, "2 have ended"),
    ):
        scene.clock.at = NOW + at * DAY
        line = await scene.line("officers' certificates")
        assert line.health is health, at
        assert words in line.words
    scene.clock.at = NOW + 85 * DAY
    assert (await scene.check("own keys")).health is Health.BAD


async def test_every_key_has_its_line(scene):
    scene.tls = TlsFacts(window=Window(not_before=NOW - 3_600, not_after=NOW + 7 * DAY))
    scene.decryption = (
        DecryptionKey(key_id=b"1", use=KeyUse.PREKEY, seed=b"", created=NOW - DAY, destroy_at=NOW + 20 * DAY),
        DecryptionKey(key_id=b"2", use=KeyUse.PREKEY, seed=b"", created=NOW, destroy_at=NOW + 21 * DAY),
        DecryptionKey(key_id=b"3", use=KeyUse.REPLY, seed=b"", created=NOW, destroy_at=NOW + 7 * DAY),
    )
    lines = await scene.report.lines()

    assert [(line.name, line.place) for line in lines] == [
        ("node TLS certificate", KeyPlace.MEMORY),
        ("Party CA", KeyPlace.FILE),
        ("Party key", KeyPlace.FILE),
        ("next Party key", KeyPlace.PAPER),
        ("signing key", KeyPlace.FILE),
        ("storage key", KeyPlace.FILE),
        ("prekeys", KeyPlace.STORE),
        ("reply keys", KeyPlace.STORE),
    ]
    assert "renews itself by 2027-01-18 20:00:00 UTC" in lines[0].words
    assert lines[6].words.startswith("2 of them")
    assert lines[6].since == NOW - DAY
    assert all(line.health is Health.GOOD for line in lines)
    assert (await scene.line("next Party key")).id == scene.treaty.roster.party(QM).next_key_hash.hex()[:16]


@pytest.mark.parametrize(
    ("left", "health", "noted"),
    [(0.51, Health.GOOD, False), (0.5, Health.GOOD, True), (0.25, Health.WARNING, True), (0.1, Health.BAD, True)],
)
async def test_the_end_of_the_own_ca_becomes_more_urgent(scene, left, health, noted):
    scene.at_left(left)
    line, check = await scene.line("Party CA"), await scene.check("own keys")

    assert (line.health, check.health) == (health, health)
    assert ("of its life is left" in check.words) is noted
    assert "gsp keys rotate ca" in line.words


@pytest.mark.parametrize(("left", "health"), [(0.5, Health.GOOD), (0.25, Health.WARNING), (0.1, Health.BAD), (-0.1, Health.BAD)])
async def test_the_end_of_anothers_ca_is_told_on_both_sides(scene, left, health):
    scene.at_left(left)
    others, centre = await scene.check("CAs of other Parties"), await scene.check("CAs of the Secretariat")

    assert (others.health, centre.health) == (health, health)
    assert others.words.startswith("QN ")
    assert "its node" in centre.words


async def test_a_successor_ends_the_alarm(scene):
    scene.at_left(0.1)
    scene.successor()
    first, second = await scene.line("Party CA", 0), await scene.line("Party CA", 1)

    assert (await scene.check("own keys")).health is Health.GOOD
    assert first.words == "issues until its successor does"
    assert second.words.startswith("stands, and begins to issue on")


async def test_what_was_revoked_replaced_or_never_announced_is_told_apart(scene):
    scene.new_signing_key()
    scene.revoke(RevokedKind.SIGNING_KEY, scene.material.signer.public_key)
    scene.keys.signing.append(SoftwareSigner(secret(31, "unlisted")))
    scene.own.refresh()

    assert "change it with" in (await scene.line("signing key", 0)).words
    assert "was revoked" in (await scene.line("signing key", 1)).words
    assert "goes on with it" in (await scene.line("signing (signing)")).words
    assert (await scene.check("own keys")).health is Health.WARNING


async def test_a_revoked_party_key_is_the_most_urgent_thing(scene):
    scene.revoke(RevokedKind.PARTY_KEY, scene.material.key.public_key)

    assert (await scene.check("own keys")).health is Health.BAD
    assert "gsp keys rotate party" in (await scene.line("Party key")).words


async def test_a_certificate_that_cannot_be_renewed_says_why(scene):
    window = Window(not_before=NOW, not_after=NOW + DAY)
    scene.tls = TlsFacts(window=window, problem=KeysUnavailable("the token is not there"))

    assert "cannot be renewed: the token is not there" in (await scene.line("node TLS certificate")).words


def test_the_end_has_come_when_it_has_come():
    window = Window(not_before=0, not_after=100)

    assert [health_of(window, now) for now in (0, 74, 75, 90, 101)] == [
        Health.GOOD,
        Health.GOOD,
        Health.WARNING,
        Health.BAD,
        Health.BAD,
    ]

"""Keys that change while nodes run: a whole Secretariat and whole Parties in one process, over real connections and from real files."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from federation import limits
from federation.boundary.directory import compose_entry
from federation.errors import Conflict, Forbidden, InvalidInput, KeysUnavailable, NotFound, Unauthentic, Unreachable
from federation.identity import PartyId
from federation.query.lifecycle import AskedState
from federation.trust.keys import SoftwareSigner
from node.cli.next_key import read_next_key
from node.config import NodeToken, read_node_settings, write_settings
from node.errand import Errand
from node.keystore import Keystore
from node.rotation import Changed, revoke_ca, revoke_party, revoke_signing, rotate_ca, rotate_party, rotate_signing, veto
from node.rpc import renewal
from node.use_cases import secretariat as secretariat_rules
from node.use_cases.desk_values import Health, QueryView
from node.use_cases.own_keys import Stands
from node.use_cases.parts import Participant
from tests.support.centre import PASSPHRASE, Centre, a_centre
from tests.support.houses import House, acquainted, ask, ends_answered, house, new_officer, typed, until
from tests.support.parties import OfficerKit
from tests.support.token import soft_hsm


@pytest.fixture(scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Centre]:
    async with a_centre(tmp_path_factory.mktemp("treaty") / "secretariat") as centre:
        yield centre


@pytest.fixture(autouse=True)
def looking_often(monkeypatch):
    monkeypatch.setattr(renewal, "LOOK_S", 0.2)


class Asking:
    """Questions that do not stop, one after the other; each has to be answered at its first try."""

    def __init__(self, node: Participant, officer: OfficerKit, to: PartyId) -> None:
        self._node, self._officer, self._to = node, officer, to
        self.views: list[QueryView] = []
        self._ended = False

    async def run(self) -> None:
        while not self._ended:
            self.views.append(await ask(self._node, self._officer, self._to, f"{self._to.upper()}1"))
            await asyncio.sleep(0.02)

    def end(self) -> None:
        self._ended = True

    async def advance(self, count: int) -> None:
        goal = len(self.views) + count
        await until(lambda: len(self.views) >= goal, wait_s=60)

    @property
    def failed(self) -> list[str]:
        return [view.asked.problem or view.asked.state for view in self.views if view.asked.state is not AskedState.ANSWERED]


# --- nothing is lost ---


async def test_the_ca_and_the_signing_key_change_under_load_and_no_query_fails_in_either_direction(centre, tmp_path):
    qm, qs = await house(centre, tmp_path, "qm"), await house(centre, tmp_path, "qs")
    async with qm.running() as one, qs.running() as other, asyncio.TaskGroup() as tasks:
        await acquainted(one, other)
        flows = [Asking(one, qm.officer, qs.party), Asking(other, qs.officer, qm.party)]
        for flow in flows:
            tasks.create_task(flow.run())
        before = one.registry.roster.party(qm.party)
        ca = await qm.change(rotate_ca)
        signing = await qm.change(rotate_signing)
        await until(lambda: one.desk._own.signer.public_key != before.node.signing_key, wait_s=60)
        await until(lambda: issuer_of(one) == ca.id, wait_s=60)
        for flow in flows:
            await flow.advance(20)
            flow.end()

    after = other.registry.roster.party(qm.party)
    assert len(after.standing_cas) == 2
    assert (after.cas[-1].key_hash.hex()[:16], after.node.signing_key.hex()[:16]) == (ca.id, signing.id)
    assert [flow.failed for flow in flows] == [[], []]


def issuer_of(node: Participant) -> str:
    """The id of the CA that this node issues with, as `gsp keys show` has it."""
    own_keys = node.desk._diagnosis._key_report._own_keys
    return next(one.key_hash.hex()[:16] for one in own_keys._record().cas if one.der == own_keys.ca().certificate)


async def test_an_officer_of_the_former_ca_goes_on_until_the_certificate_ends(centre, tmp_path):
    xa, xb = await house(centre, tmp_path, "xa"), await house(centre, tmp_path, "xb")
    await xa.change(rotate_ca)
    async with xa.running(Stands(ca_s=0, signing_s=0)) as one, xb.running() as other:
        await acquainted(one, other)
        view = await ask(one, xa.officer, xb.party, "XB1")

    assert view.asked.state is AskedState.ANSWERED


# --- interrupted, repeated, forbidden ---


async def test_a_change_that_was_interrupted_before_it_was_announced_is_taken_up_again(centre, tmp_path):
    xc = await house(centre, tmp_path, "xc")
    async with xc.errand() as one:
        one.custody.make("ca-2", secrets.token_bytes)
        one.custody.make("signing-2", secrets.token_bytes)
    for how in (rotate_ca, rotate_signing):
        assert not (await xc.change(how)).repeated
    async with xc.errand() as one:
        assert one.custody.names("ca") == ("ca", "ca-2")
        assert one.custody.names("signing") == ("signing", "signing-2")
        assert one.record.node.signing_key == one.custody.signer("signing-2").public_key


async def test_a_change_whose_answer_was_lost_is_not_made_twice(centre, tmp_path):
    xd = await house(centre, tmp_path, "xd")
    for how in (rotate_ca, rotate_signing):
        first = await xd.change(how)
        second = await xd.change(how)

        assert (second.id, second.repeated) == (first.id, True)


async def test_the_next_party_key_takes_over_and_commits_to_the_one_after_it(centre, tmp_path):
    xe = await house(centre, tmp_path, "xe")
    paper = tmp_path / "paper.txt"
    paper.write_text(f"Next Party key of xe.\n{xe.shown[0]}\n")
    seed = read_next_key(paper)

    async def rotate(one: Errand) -> Changed:
        return await rotate_party(one, seed, show_next_key=xe.shown.append)

    first, again = await xe.change(rotate), await xe.change(rotate)
    async with xe.errand() as one:
        record = one.record

    assert record.party_key == SoftwareSigner(seed).public_key
    assert (first.repeated, again.repeated) == (False, True)
    assert len(xe.shown) == 2
    assert (await xe.change(rotate_ca)).key == "Party CA"  # the new key writes entries


async def test_another_key_than_the_committed_one_takes_over_nothing(centre, tmp_path):
    xf = await house(centre, tmp_path, "xf")
    with pytest.raises(InvalidInput, match="committed"):
        await xf.change(lambda one: rotate_party(one, bytes(32), show_next_key=xf.shown.append))
    with pytest.raises(NotFound, match="no recovery"):
        await xf.change(lambda one: veto(one, bytes(32)))

    assert len(xf.shown) == 1


async def test_a_revoked_party_key_writes_nothing_and_is_followed_by_the_next_one(centre, tmp_path):
    xg = await house(centre, tmp_path, "xg")
    await xg.change(lambda one: revoke_party(one, reason="stolen"))
    with pytest.raises(Conflict, match="revoked"):
        await xg.change(rotate_ca)
    seed = bytes.fromhex(xg.shown[0])
    await xg.change(lambda one: rotate_party(one, seed, show_next_key=xg.shown.append))

    assert not (await xg.change(rotate_ca)).repeated


# --- stolen while the node runs ---


async def test_a_stolen_signing_key_is_taken_back_while_the_node_runs(centre, tmp_path):
    xh, xj = await house(centre, tmp_path, "xh"), await house(centre, tmp_path, "xj")
    async with xh.running() as one, xj.running() as other:
        await acquainted(one, other)
        stolen = one.desk._own.signer.public_key
        changed = await xh.change(lambda errand: revoke_signing(errand, reason="a copy was found"))
        await until(lambda: stolen in other.registry.roster.party(xh.party).revoked)
        await until(lambda: stolen in one.registry.roster.party(xh.party).revoked)
        await until(lambda: other.registry.roster.party(xh.party).node is not None)  # that news may come after the revocation
        await acquainted(one, other)

        assert changed.id == stolen.hex()[:16]
        assert one.desk._own.signer.public_key != stolen
        await ends_answered(one, xh.officer, await ask(one, xh.officer, xj.party, "XJ1"))
        await ends_answered(other, xj.officer, await ask(other, xj.officer, xh.party, "XH1"))


async def test_a_stolen_ca_is_taken_back_while_the_node_runs_and_its_officers_end_with_it(centre, tmp_path):
    xl, xm = await house(centre, tmp_path, "xl"), await house(centre, tmp_path, "xm")
    async with xl.running() as one, xm.running() as other:
        await acquainted(one, other)
        await xl.change(lambda errand: revoke_ca(errand, reason="a copy was found"))
        for node in (one, other):
            await until(lambda node=node: len(node.registry.roster.party(xl.party).standing_cas) == 1 and revoked(node, xl))

        with pytest.raises(Unauthentic):
            await ask(one, xl.officer, xm.party, "XM1")
        await ends_answered(other, xm.officer, await ask(other, xm.officer, xl.party, "XL1"))
        new = await new_officer(xl)
        await ends_answered(one, new, await ask(one, new, xm.party, "XM1"))


def revoked(node: Participant, house: House) -> bool:
    return house.joined.party_ca not in node.registry.roster.party(house.party).standing_cas


# --- back after the end ---


async def test_a_party_whose_ca_has_ended_is_back_after_one_command(centre, tmp_path, monkeypatch):
    """Its CA was made two years ago, but for some seconds; then the node was off."""
    issue = secretariat_rules.issue_party_ca
    left_s = 8

    def long_ago(csr: bytes, **how):
        return issue(csr, **{**how, "now": time.time() - limits.PARTY_CA_LIFE_S + left_s})

    monkeypatch.setattr(secretariat_rules, "issue_party_ca", long_ago)
    ends = time.time() + left_s + 1
    xn = await house(centre, tmp_path, "xn")
    monkeypatch.setattr(secretariat_rules, "issue_party_ca", issue)
    await asyncio.sleep(max(0, ends - time.time()))
    with pytest.raises(Conflict, match="every CA of this Party has ended") as ended:
        async with xn.running():
            pass
    assert "gsp keys rotate ca" in ended.value.hint

    await xn.change(rotate_ca)
    async with xn.running() as node:
        await until(lambda: len(node.registry.roster.party(xn.party).cas) == 2)
        await until(lambda: node.registry.roster.party(xn.party).node is not None)


async def test_without_the_address_of_the_join_port_the_way_back_is_named(centre, tmp_path):
    xo = await house(centre, tmp_path, "xo")
    settings = read_node_settings(xo.home / "node.toml")
    keystore = Keystore.open(xo.home / "keystore", PASSPHRASE)
    keystore.put("retired-ca", b"retired")
    write_settings(xo.home / "node.toml", type(settings)(**{**settings_of(settings), "secretariat_join": None}))
    with pytest.raises(Unreachable) as unreachable:
        await xo.change(rotate_ca)

    assert "secretariat_join" in unreachable.value.hint


def settings_of(settings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


async def test_only_what_a_party_needs_to_come_back_is_handed_in(centre, tmp_path):
    xp = await house(centre, tmp_path, "xp")
    async with xp.errand() as one:
        update = one.record.update
        refused = Unreachable("no certificate")
        leaf = compose([type(update)(**{**fields_of(update), "serial": update.serial + 1})], one)
        with pytest.raises(Forbidden, match="not handed in"):
            await one._hand_in(leaf, refused)
        forged = compose([one.record.nodes[-1].entry], one, signer=SoftwareSigner(bytes(32)))
        with pytest.raises(Forbidden, match="own key"):
            await one._hand_in(forged, refused)


def fields_of(value) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def compose(bodies, one: Errand, *, signer: SoftwareSigner | None = None) -> bytes:
    return compose_entry(bodies[0], [signer or one.author()])


# --- by command ---


async def test_every_key_is_changed_by_command_while_the_node_runs(centre, tmp_path):
    xu = await house(centre, tmp_path, "xu")
    paper = tmp_path / "paper.txt"
    paper.write_text(xu.shown[0] + "\n")
    async with xu.running() as node:
        admitted_with = node.registry.roster.party(xu.party).party_key
        ca, signing = [await typed(xu, "rotate", key) for key in ("ca", "signing")]
        once, again = [await typed(xu, "rotate", "party", "--next-key", str(paper)) for _ in range(2)]
        shown = await typed(xu, "show")
        await until(lambda: node.registry.roster.party(xu.party).party_key != admitted_with)

    assert [code for code, _ in (ca, signing, once, again, shown)] == [0] * 5
    assert (once[1]["repeated"], again[1]["repeated"]) == (False, True)
    assert {line["id"] for line in shown[1]["keys"]} >= {ca[1]["id"], signing[1]["id"], once[1]["id"]}
    assert read_next_key(xu.home / "next-party-key-xu.txt") != bytes.fromhex(xu.shown[0])


async def test_what_a_command_cannot_do_it_says(centre, tmp_path):
    xv = await house(centre, tmp_path, "xv")
    for command, code in (
        (("veto", "--next-key", str(tmp_path / "policy.toml")), "invalid-input"),
        (("revoke", "ca", "--key", "0123"), "not-found"),
    ):
        ending, document = await typed(xv, *command)

        assert ending != 0
        assert document["error"]["code"] == code


async def test_a_pin_is_put_into_the_keystore_by_command(centre, tmp_path):
    xw = await house(centre, tmp_path, "xw")
    pin = tmp_path / "pin"
    pin.write_text("123456\n")

    assert (await typed(xw, "pin", "--pkcs11-pin-file", str(pin)))[0] == 0
    assert Keystore.open(xw.home / "keystore", PASSPHRASE).get("pkcs11-pin") == b"123456"


# --- in a token ---


async def test_a_party_joins_runs_asks_and_answers_with_all_its_keys_in_a_token(centre, tmp_path):
    with soft_hsm(tmp_path / "hsm") as hsm:
        hsm.add("xq")
        async with AsyncExitStack() as stack:
            token = NodeToken(module=hsm.module, token="xq")
            xq, xr = await house(centre, tmp_path, "xq", token=token), await house(centre, tmp_path, "xr")
            one = await stack.enter_async_context(xq.running())
            other = await stack.enter_async_context(xr.running())
            await acquainted(one, other)

            assert (await ask(one, xq.officer, xr.party, "XR1")).asked.state is AskedState.ANSWERED
            assert (await ask(other, xr.officer, xq.party, "XQ1")).asked.state is AskedState.ANSWERED
            keystore = Keystore.open(xq.home / "keystore", PASSPHRASE)
            assert keystore.names() == ("pkcs11-pin", "storage")
            lines = {line.name: line for line in (await one.desk.status(xq.officer.name)).keys}
            assert {name: lines[name].place for name in ("Party CA", "Party key", "signing key", "next Party key")} == {
                "Party CA": "token",
                "Party key": "token",
                "signing key": "token",
                "next Party key": "paper",
            }


async def test_keys_in_a_token_are_rotated_in_it(centre, tmp_path):
    with soft_hsm(tmp_path / "hsm") as hsm:
        hsm.add("xs")
        xs = await house(centre, tmp_path, "xs", token=NodeToken(module=hsm.module, token="xs"))
        for how in (rotate_ca, rotate_signing):
            await xs.change(how)
        async with xs.errand() as one:
            assert {key.name: key.place for key in one.custody.inventory()} == dict.fromkeys(
                ("party", "ca", "ca-2", "signing", "signing-2"), "token"
            )
            assert one.record.node.signing_key == one.custody.signer("signing-2").public_key


async def test_a_node_whose_token_goes_away_keeps_its_certificate_and_says_so(centre, tmp_path):
    with soft_hsm(tmp_path / "hsm") as hsm:
        hsm.add("xt")
        token = NodeToken(module=hsm.module, token="xt", keys=("ca",))
        xt = await house(centre, tmp_path, "xt", token=token)
        async with xt.running() as node:
            await until(lambda: node.registry.roster.party(xt.party).node is not None)
            with hsm.unplugged():
                assert await certificate_check(node, xt, Health.WARNING) == KeysUnavailable.code
            await until_async(lambda: healthy(node, xt))


async def test_a_node_whose_signing_key_is_away_receipts_nothing_and_goes_on_when_it_is_back(centre, tmp_path):
    with soft_hsm(tmp_path / "hsm") as hsm:
        hsm.add("xx")
        token = NodeToken(module=hsm.module, token="xx", keys=("signing",))
        own, other = await house(centre, tmp_path, "xx", token=token), await house(centre, tmp_path, "xz")
        async with own.running() as one, other.running() as two:
            await acquainted(one, two)
            with hsm.unplugged():
                with pytest.raises(KeysUnavailable):
                    await ask(one, own.officer, other.party, "XZ1")
                view = await ask(two, other.officer, own.party, "XX1")
                assert (view.asked.state, view.asked.problem) == (AskedState.QUEUED, KeysUnavailable.code)
            async with asyncio.timeout(60):
                while view.asked.state is not AskedState.ANSWERED:
                    view = await two.desk.query(other.officer.name, view.asked.message_id, wait_s=5)


async def certificate_check(node: Participant, house: House, health: Health) -> str:
    async with asyncio.timeout(30):
        while True:
            status = await node.desk.status(house.officer.name)
            check = next(one for one in status.checks if one.name == "node certificate")
            if check.health is health:
                assert "no other one can be made" in check.words
                return node.desk._diagnosis._facts().certificate_problem.code
            await asyncio.sleep(0.05)


async def healthy(node: Participant, house: House) -> bool:
    status = await node.desk.status(house.officer.name)
    return next(one for one in status.checks if one.name == "node certificate").health is Health.GOOD


async def until_async(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.05)

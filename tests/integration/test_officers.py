"""Officers from the invitation to the withdrawal, over real TLS and SQLite, and everybody who would like to be one."""

from __future__ import annotations

import asyncio
import os
import ssl
from dataclasses import replace

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from federation.errors import Conflict, DeadlinePassed, Forbidden, InvalidInput, Malformed, NotFound, Unauthentic, Unreachable
from federation.identity import OfficerName
from federation.query.codes import Purpose
from federation.trust import issuing
from federation.trust.certificate import to_pem
from federation.trust.desk_code import DeskCode
from federation.trust.entries import Authority, AuthorityKind
from federation.trust.keys import SoftwareSigner
from federation.trust.profile import officer_profile, party_profile
from federation.wire import strict
from node import limits as node_limits
from node.rpc import administration as rpc
from node.rpc.desk import STATUS
from node.rpc.officer import CREDENTIAL_KEY
from node.rpc.officer_enrolment import ENROL
from node.rpc.signed import CHALLENGE
from node.use_cases.officer_enrolment import enrolment_message
from node.use_cases.officers import OfficerState
from node.use_cases.rights import Grant, Right
from node.v1 import administration_pb2, desk_pb2
from tests.support.office import CUSTOMS, NODE, Office, Person, ca_key_of, open_office
from tests.support.rpc import DOMAIN, QM, QN, Treaty, listening, node_name

ASK = Grant(right=Right.ASK, authority=CUSTOMS, purposes=frozenset(Purpose))
AUDIT = Grant(right=Right.AUDIT, authority=CUSTOMS)
ADMINISTER = Grant(right=Right.ADMINISTER, authority=CUSTOMS)


@pytest.fixture
async def office(tmp_path):
    async with open_office(tmp_path) as there:
        yield there


@pytest.fixture
async def strict_office(tmp_path):
    """With four eyes."""
    async with open_office(tmp_path, four_eyes=True) as there:
        yield there


@pytest.fixture
async def first(office) -> Person:
    return await office.hire("first000")


# --- the life of an officer ------------------------------------------------------------------------------------------------


async def test_an_officer_is_invited_enrols_and_works_at_the_desk(office, first):
    reply = await office.invite(first, ASK)
    person = await office.enrol(office.code(reply))
    async with office.at_desk(person) as desk:
        assert (await desk.status()).party == QM
    async with office.administering(person) as administration:
        own = await administration.officer("")
    assert (own.officer_id, own.name, own.grants) == (reply.outcome.officer_id, "Berta Beispiel", (ASK,))
    assert own.certificates[0].not_after - office.clock.now() <= 30 * 86_400


async def test_enrolling_again_with_the_same_key_gives_the_same_certificate(office, first):
    code, signer = office.code(await office.invite(first, ASK)), SoftwareSigner(os.urandom(32))
    people = [await office.enrol(code, signer) for _ in range(3)]
    assert len({one.certificate for one in people}) == 1


async def test_a_code_that_was_used_up_before_the_power_went_off_is_good_for_that_key_alone(office, first, monkeypatch):
    code, signer = office.code(await office.invite(first, ASK)), SoftwareSigner(os.urandom(32))
    with monkeypatch.context() as cut:
        cut.setattr(office.personnel.enrolment, "_issue", _power_cut)
        with pytest.raises(Exception, match="power"):
            await office.personnel.enrolment.enrol(**_application(code, signer))
    with pytest.raises(Conflict, match="used already"):
        await office.enrol(code)
    assert (await office.enrol(code, signer)).certificate in office.issued


def _power_cut(*_args):
    raise OSError("power")


def _application(code: DeskCode, signer: SoftwareSigner) -> dict[str, bytes]:
    message = enrolment_message(token=code.token, public_key=signer.public_key, node=NODE)
    return {"token": code.token, "public_key": signer.public_key, "proof": signer.sign(message)}


async def test_a_certificate_is_renewed_with_the_present_key_and_both_are_good(office, first):
    person = await office.enrol(office.code(await office.invite(first, ASK)))
    office.clock.at += 20 * 86_400
    async with office.administering(person) as administration:
        renewed = await administration.renew()
        again = await administration.renew()
    newer = replace(person, certificate=renewed.certificate)
    assert renewed == again
    for one in (person, newer):
        async with office.at_desk(one) as desk:
            await desk.status()
    office.clock.at += 11 * 86_400
    async with office.at_desk(newer) as desk:
        await desk.status()
    async with office.at_desk(person) as desk:
        with pytest.raises(Unauthentic, match="valid from"):
            await desk.status()


async def test_who_is_who_and_who_did_what_is_shown_to_auditors_without_a_persons_name_in_the_record(office, first):
    reply = await office.invite(first, AUDIT, name="Carla Mustermann")
    auditor = await office.enrol(office.code(reply))
    async with office.administering(first) as administration:
        await administration.grant(auditor.name.officer_id, [ASK])
    async with office.administering(auditor) as administration:
        assert [one.name for one in await administration.officers()] == ["Ada Example", "Carla Mustermann"]
        uses = await administration.used(rows=10)
        assert uses == await administration.used(rows=10, officer_id=auditor.name.officer_id)
    assert [(use.act, use.officer_id, use.subject) for use in uses] == [
        ("grant", "first000", auditor.name.officer_id),
        ("enrol", auditor.name.officer_id, auditor.name.officer_id),
        ("invite", "first000", auditor.name.officer_id),
    ]
    assert "ask (detection, investigation) for customs Customs" in uses[0].words
    assert not any("Mustermann" in use.words for use in uses)


async def test_a_persons_name_is_not_readable_in_the_file(office, first, tmp_path):
    await office.invite(first, ASK, name="Carla Mustermann")
    await office.invite(first, ADMINISTER, name="Dora Mustermann")
    content = b"".join(path.read_bytes() for path in tmp_path.glob("officers.sqlite*"))
    assert b"first000" in content
    assert b"Mustermann" not in content


async def test_many_officers_come_in_pages(office, first):
    for _ in range(3):
        await office.invite(first, ASK)
    async with office.administering(first) as administration:
        everybody = await administration.officers()
        second = (await office.personnel.administration.officers(first.name, after=everybody[1].officer_id))[0]
    assert len(everybody) == 4
    assert second.officer_id == everybody[2].officer_id


# --- codes -----------------------------------------------------------------------------------------------------------------


async def test_a_replayed_enrolment_code_is_worth_nothing_with_another_key(office, first):
    code = office.code(await office.invite(first, ASK))
    await office.enrol(code)
    with pytest.raises(Conflict, match="used already"):
        await office.enrol(code)


async def test_a_stolen_code_is_worth_nothing_after_a_second_one_was_made(office, first):
    stolen = office.code(await office.invite(first, ASK))
    officer_id = (await office.store.officers())[-1].officer_id
    async with office.administering(first) as administration:
        fresh = office.code(await administration.reenrol(officer_id))
    with pytest.raises(Forbidden):
        await office.enrol(stolen)
    assert (await office.enrol(fresh)).name.officer_id == officer_id


async def test_a_code_expires_to_the_second(office, first):
    reply = await office.invite(first, ASK)
    office.clock.at = reply.outcome.expires
    with pytest.raises(DeadlinePassed):
        await office.enrol(office.code(reply))
    office.clock.at = reply.outcome.expires - 1
    await office.enrol(office.code(reply))


async def test_a_guessed_token_is_no_code(office, first):
    code = office.code(await office.invite(first, ASK))
    with pytest.raises(Forbidden, match="no invitation"):
        await office.enrol(replace(code, token=bytes(16)))


async def test_a_code_of_an_officer_who_was_withdrawn_is_worth_nothing(office, first):
    reply = await office.invite(first, ASK)
    async with office.administering(first) as administration:
        await administration.withdraw_officer(reply.outcome.officer_id)
    with pytest.raises(Forbidden):
        await office.enrol(office.code(reply))


async def test_an_enrolment_without_proof_of_the_key_uses_no_code_up(office, first):
    code, victim = office.code(await office.invite(first, ASK)), SoftwareSigner(os.urandom(32))
    thief = SoftwareSigner(os.urandom(32))
    forged = {**_application(code, thief), "public_key": victim.public_key}
    with pytest.raises(Unauthentic):
        await office.personnel.enrolment.enrol(**forged)
    await office.enrol(code)


async def test_no_token_is_sent_to_a_server_with_another_ca(office, first, tmp_path):
    """Somebody who stands between, with a whole Party CA of the same name under the same root."""
    code = office.code(await office.invite(first, ASK))
    impostor = Treaty()
    async with open_office(_folder(tmp_path), treaty=impostor) as there:
        heard = _listen(there)
        with pytest.raises(Unauthentic, match="not the node that the code names"):
            await office.enrol(replace(code, address=there.endpoint))
    assert heard == []


async def test_no_token_is_sent_to_a_server_that_shows_the_true_ca_and_a_leaf_of_its_own(office, first, tmp_path):
    code, impostor = office.code(await office.invite(first, ASK)), Treaty()
    async with open_office(_folder(tmp_path), treaty=office.treaty, credential=impostor.credential(NODE)) as there:
        heard = _listen(there)
        with pytest.raises(Unauthentic, match="not the node that the code names"):
            await office.enrol(replace(code, address=there.endpoint))
    assert heard == []


async def test_no_token_is_sent_to_a_node_of_another_party_of_the_same_treaty(office, first, tmp_path):
    code = office.code(await office.invite(first, ASK))
    async with open_office(_folder(tmp_path), treaty=office.treaty, credential=office.treaty.credential(node_name(QN))) as there:
        heard = _listen(there)
        with pytest.raises(Unauthentic):
            await office.enrol(replace(code, address=there.endpoint))
    assert heard == []


def _folder(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def _listen(office: Office) -> list[bytes]:
    """Every token that comes to this office from now on."""
    heard: list[bytes] = []

    async def enrol(*, token: bytes, public_key: bytes, proof: bytes):
        heard.append(token)

    office.personnel.enrolment.enrol = enrol
    return heard


async def test_a_code_with_another_hash_sends_nothing(office, first):
    code = replace(office.code(await office.invite(first, ASK)), ca_key_sha256=bytes(32))
    heard = _listen(office)
    with pytest.raises(Unauthentic):
        await office.enrol(code)
    assert heard == []


# --- certificates ------------------------------------------------------------------------------------------------------------


async def test_an_officers_certificate_without_its_key_opens_nothing(office, first):
    """It is public: other Parties have it with every question."""
    stolen = replace(first, signer=SoftwareSigner(os.urandom(32)))
    async with office.administering(stolen) as administration:
        with pytest.raises(Unauthentic, match="signature"):
            await administration.officers()


async def test_a_recorded_call_of_an_administrator_cannot_be_repeated(office, first):
    message = strict.encode(administration_pb2.OfficerRequest(officer_id=""))
    challenge = desk_pb2.ChallengeReply.FromString(await _raw(office, CHALLENGE.path, b"")).challenge
    value = first.key.credential(method=rpc.OFFICER.path, request=message, node=NODE, challenge=challenge, now=office.clock.now())
    metadata = ((CREDENTIAL_KEY, value),)
    await _raw(office, rpc.OFFICER.path, message, metadata)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _raw(office, rpc.OFFICER.path, message, metadata)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_no_call_of_an_administrator_goes_without_a_signature(office, first):
    signed = list(rpc.AdministrationServicer(None, None, None, ca_key_sha256=bytes).routes())
    assert len(signed) == 11
    for path in [*signed, STATUS.path]:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await _raw(office, path, b"")
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def _raw(office, path, message, metadata=()):
    credentials = grpc.ssl_channel_credentials(to_pem(office.party_ca))
    options = [("grpc.ssl_target_name_override", NODE.dns)]
    async with grpc.aio.secure_channel(office.endpoint, credentials, options=options) as channel:
        return await channel.unary_unary(path)(message, metadata=metadata, timeout=5)


async def test_a_node_certificate_is_no_officers(office):
    key = issuing.key_from_seed(os.urandom(32))
    node = issuing.issue_node_certificate(
        issuing.make_request(key), name=NODE, ca=office.treaty.ca(QM), now=office.clock.now(), entropy=os.urandom
    )
    impostor = await office.hire("impostor")
    async with office.at_desk(replace(impostor, certificate=node)) as desk:
        with pytest.raises((Unauthentic, Malformed)):
            await desk.status()


async def test_an_officers_certificate_is_no_tls_client(office, first):
    """At the port for nodes, whose trust store has the Party's CA."""
    async with listening(office.treaty, node_name(QM)) as served:
        key = _pem_of(first)
        credentials = grpc.ssl_channel_credentials(to_pem(office.party_ca), key, to_pem(first.certificate))
        options = [("grpc.ssl_target_name_override", node_name(QM).dns)]
        async with grpc.aio.secure_channel(served.peer.endpoint, credentials, options=options) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary("/federation.v1.Directory/Checkpoint")(b"", timeout=5)
        assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED}


async def test_an_officers_certificate_is_no_tls_server(office, first, tmp_path):
    """Another program than ours serves with it; neither an officer's program nor one that enrols believes it."""
    pair = tmp_path / "pair.pem"
    pair.write_bytes(_pem_of(first) + to_pem(first.certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        code = DeskCode(address=address, party=QM, token=bytes(16), ca_key_sha256=ca_key_of(office.party_ca))
        with pytest.raises((Unauthentic, Unreachable, Malformed)):
            await office.enrol(code)
        office.port = int(address.rpartition(":")[2])
        async with office.at_desk(first) as desk:
            with pytest.raises(Unreachable):
                await desk.status()


def _pem_of(person: Person) -> bytes:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(person.seed)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


async def test_an_officer_uri_of_another_party_is_refused_although_our_own_ca_signed_it(office, first):
    foreign = OfficerName(party=QN, officer_id="foreign0", domain=DOMAIN)
    signer = SoftwareSigner(os.urandom(32))
    key = ed25519.Ed25519PublicKey.from_public_bytes(signer.public_key)
    certificate = issuing._issue(
        key,
        officer_profile(foreign),
        office.treaty.ca(QM),
        under=party_profile(QM, DOMAIN),
        now=office.clock.now(),
        entropy=os.urandom,
    )
    async with office.at_desk(Person(name=foreign, signer=signer, certificate=certificate)) as desk:
        with pytest.raises(Malformed, match="another trust domain"):
            await desk.status()


async def test_an_officer_certificate_that_our_ca_made_and_nobody_registered_is_refused(office):
    """As the homes of version 0.1.0 have: the first officer is not known until the operator invites one."""
    signer, name = SoftwareSigner(os.urandom(32)), OfficerName(party=QM, officer_id="unknown0", domain=DOMAIN)
    async with office.at_desk(Person(name=name, signer=signer, certificate=office.certify(signer.public_key, name))) as desk:
        with pytest.raises(Forbidden, match="no officer with this certificate") as caught:
            await desk.status()
    assert "--home" in caught.value.hint


async def test_a_second_certificate_for_a_known_officer_that_nobody_registered_is_refused(office, first):
    signer = SoftwareSigner(os.urandom(32))
    forged = replace(first, signer=signer, certificate=office.certify(signer.public_key, first.name))
    async with office.at_desk(forged) as desk:
        with pytest.raises(Forbidden, match="no officer with this certificate"):
            await desk.status()


async def test_a_certificate_that_expired_a_second_ago_is_refused(office, first):
    person = await office.enrol(office.code(await office.invite(first, ASK)))
    end = (await office.store.officer(person.name.officer_id)).certificates[0].not_after
    async with office.at_desk(person) as desk:
        office.clock.at = end
        await desk.status()
        office.clock.at = end + 1
        with pytest.raises(Unauthentic, match="valid from"):
            await desk.status()
    async with office.administering(person) as administration:
        with pytest.raises(Unauthentic, match="valid from"):
            await administration.renew()


async def test_the_certificate_of_an_officer_who_enrolled_again_elsewhere_is_refused(office, first):
    person = await office.enrol(office.code(await office.invite(first, ASK)))
    async with office.at_desk(person) as desk:
        await desk.status()
        async with office.administering(first) as administration:
            reply = await administration.reenrol(person.name.officer_id)
        with pytest.raises(Forbidden):
            await desk.status()
        newer = await office.enrol(office.code(reply))
        with pytest.raises(Forbidden, match="withdrawn"):
            await desk.status()
    async with office.at_desk(newer) as desk:
        await desk.status()
    assert newer.name == person.name


async def test_a_withdrawn_officer_is_refused_at_the_next_call_on_a_live_connection(office, first):
    person = await office.enrol(office.code(await office.invite(first, ASK)))
    async with office.at_desk(person) as desk, office.administering(person) as administration:
        await desk.status()
        async with office.administering(first) as other:
            await other.withdraw_officer(person.name.officer_id)
        with pytest.raises(Forbidden, match="may not use the desk"):
            await desk.status()
        with pytest.raises(Forbidden, match="may not use the desk"):
            await administration.renew()
    async with office.administering(first) as administration:
        with pytest.raises(Conflict, match="withdrawn"):
            await administration.reenrol(person.name.officer_id)


# --- escalation --------------------------------------------------------------------------------------------------------------


async def test_who_is_no_administrator_changes_nothing_and_sees_nobody(office, first):
    person = await office.enrol(office.code(await office.invite(first, ASK)))
    own = person.name.officer_id
    async with office.administering(person) as administration:
        for attempt in (
            administration.grant(own, [ADMINISTER]),
            administration.reenrol("first000"),
            administration.withdraw_right("first000", Right.ADMINISTER, None),
            administration.withdraw_officer("first000"),
            administration.decide("0123456789abcdef", approve=True),
            administration.officers(),
            administration.officer("first000"),
            administration.proposals(),
            administration.used(rows=5),
        ):
            with pytest.raises(Forbidden, match="needs the right administer"):
                await attempt
    with pytest.raises(Forbidden, match="needs the right administer"):
        await office.invite(person, ADMINISTER)
    assert await office.store.officer("first000") is not None
    assert len(await office.store.officers()) == 2


async def test_an_auditor_sees_and_changes_nothing(office, first):
    auditor = await office.hire("auditor0", [AUDIT])
    async with office.administering(auditor) as administration:
        assert len(await administration.officers()) == 2
        with pytest.raises(Forbidden):
            await administration.grant("auditor0", [ADMINISTER])


@pytest.mark.parametrize("four_eyes", [False, True])
async def test_an_administrator_grants_itself_nothing_alone(tmp_path, four_eyes):
    async with open_office(tmp_path, four_eyes=four_eyes) as office:
        boss = await office.hire("boss0000", [ADMINISTER])
        async with office.administering(boss) as administration:
            reply = await administration.grant("boss0000", [ASK])
            assert reply.outcome.proposal_id
            assert (await administration.officer("")).grants == (ADMINISTER,)
            with pytest.raises(Forbidden, match="own proposal"):
                await administration.decide(reply.outcome.proposal_id, approve=True)
            assert (await administration.officer("")).grants == (ADMINISTER,)


async def test_an_administrator_gives_itself_no_second_key_alone(office, first):
    async with office.administering(first) as administration:
        reply = await administration.reenrol("first000")
    assert reply.outcome.proposal_id
    assert not reply.outcome.token


async def test_with_four_eyes_a_second_administrator_approves_and_gets_the_code(strict_office):
    office = strict_office
    one, two = await office.hire("admin001"), await office.hire("admin002")
    reply = await office.invite(one, ADMINISTER, name="Emil Beispiel")
    assert reply.outcome.proposal_id
    assert not reply.outcome.token
    assert len(await office.store.officers()) == 2
    async with office.administering(two) as administration:
        (waiting,) = await administration.proposals()
        assert (waiting.officer.name, waiting.grants, waiting.proposer) == ("Emil Beispiel", (ADMINISTER,), "admin001")
        approved = await administration.decide(waiting.proposal_id, approve=True)
        assert await administration.proposals() == ()
    third = await office.enrol(office.code(approved))
    async with office.administering(third) as administration:
        assert len(await administration.officers()) == 3


async def test_with_four_eyes_nobody_approves_the_own_proposal_or_one_about_oneself(strict_office):
    office = strict_office
    one, two = await office.hire("admin001"), await office.hire("admin002")
    async with office.administering(one) as administration:
        reply = await administration.grant("admin002", [ADMINISTER])
        with pytest.raises(Forbidden, match="own proposal"):
            await administration.decide(reply.outcome.proposal_id, approve=True)
    async with office.administering(two) as administration:
        with pytest.raises(Forbidden, match="about oneself"):
            await administration.decide(reply.outcome.proposal_id, approve=True)


async def test_with_four_eyes_an_administrator_alone_takes_no_other_ones_place(strict_office):
    """A new code for an administrator is that administrator's power."""
    office = strict_office
    one, two = await office.hire("admin001"), await office.hire("admin002")
    async with office.administering(one) as administration:
        reply = await administration.reenrol("admin002")
    assert not reply.outcome.token
    async with office.administering(two) as administration:
        assert (await administration.officer("")).state is OfficerState.ACTIVE


async def test_what_a_withdrawn_administrator_proposed_is_approved_by_nobody(strict_office):
    office = strict_office
    one, two = await office.hire("admin001"), await office.hire("admin002")
    reply = await office.invite(one, ADMINISTER)
    async with office.administering(two) as administration:
        await administration.withdraw_right("admin001", Right.ADMINISTER, None)
        with pytest.raises(Forbidden, match="no administrator any more"):
            await administration.decide(reply.outcome.proposal_id, approve=True)
        await administration.decide(reply.outcome.proposal_id, approve=False)
        assert await administration.proposals() == ()


async def test_a_proposal_is_carried_out_once_and_not_after_a_month(strict_office):
    office = strict_office
    one, two = await office.hire("admin001"), await office.hire("admin002")
    first, second = [await office.invite(one, ADMINISTER) for _ in range(2)]
    async with office.administering(two) as administration:
        await administration.decide(first.outcome.proposal_id, approve=True)
        with pytest.raises(NotFound):
            await administration.decide(first.outcome.proposal_id, approve=True)
        office.clock.at += node_limits.PROPOSAL_LIFE_S
        with pytest.raises(NotFound):
            await administration.decide(second.outcome.proposal_id, approve=True)


async def test_with_four_eyes_withdrawing_is_at_once(strict_office):
    office = strict_office
    one, two = await office.hire("admin001"), await office.hire("admin002")
    async with office.administering(one) as administration, office.administering(two) as other:
        await administration.withdraw_officer("admin002")
        with pytest.raises(Forbidden):
            await other.officers()


async def test_the_last_administrator_is_not_withdrawn_by_accident(office, first):
    await office.invite(first, ADMINISTER)  # never enrolled: cannot act
    async with office.administering(first) as administration:
        with pytest.raises(Conflict, match="last administrator"):
            await administration.withdraw_officer("first000")
        with pytest.raises(Conflict, match="last administrator"):
            await administration.withdraw_right("first000", Right.ADMINISTER, None)
        await office.hire("second00", [ADMINISTER])
        await administration.withdraw_right("first000", Right.ADMINISTER, None)
        with pytest.raises(Forbidden):
            await administration.withdraw_officer("second00")


async def test_two_administrators_who_withdraw_each_other_do_not_both_go(office):
    people = [await office.hire("admin001", [ADMINISTER]), await office.hire("admin002", [ADMINISTER])]
    administration = office.personnel.administration
    results = await asyncio.gather(
        administration.withdraw_officer(people[0].name, "admin002"),
        administration.withdraw_officer(people[1].name, "admin001"),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), Forbidden]


# --- bad values ------------------------------------------------------------------------------------------------------------------


async def test_what_cannot_be_is_refused(office, first):
    async with office.administering(first) as administration:
        with pytest.raises(NotFound):
            await administration.grant("nobody00", [ASK])
        with pytest.raises(Conflict, match="does not hold"):
            await administration.withdraw_right("first000", Right.ASK, Authority(kind=AuthorityKind.POLICE, name="Police"))
    for bad in ({"name": " "}, {"days": 29}, {"days": 91}):
        with pytest.raises((InvalidInput, Malformed)):
            await office.invite(first, ASK, **bad)


async def test_an_enrolment_with_an_unknown_field_is_refused(office):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _raw(office, ENROL.path, b"\x78\x01")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT

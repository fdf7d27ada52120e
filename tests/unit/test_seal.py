from __future__ import annotations

from dataclasses import replace
from hashlib import sha512

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import limits
from federation.envelope import suite
from federation.envelope.padding import pad
from federation.envelope.seal import (
    Envelope,
    Inner,
    body_commitment,
    digest_of_parts,
    envelope_digest,
    header_hash,
    open_envelope,
    pack_inner,
    seal,
    sealed_size,
    unpack_inner,
    verify_outer,
)
from federation.errors import Malformed, Oversized, Unauthentic
from federation.trust.keys import SoftwareSigner, node_message, officer_message

NODE = SoftwareSigner(b"n" * 32)
OFFICER = SoftwareSigner(b"o" * 32)
RECIPIENT = suite.PrivateKey(b"r" * 32)
CEK = b"c" * 32
INNER = Inner(
    statement=b"statement", statement_signature=OFFICER.sign(officer_message(b"statement")), salt=b"s" * 32, body=b"body" * 100
)
COMMITMENT = body_commitment(INNER)
HEADER = b"header with commitment " + COMMITMENT


def sealed(**changes):
    parts = {"header": HEADER, "inner": INNER, "recipient_public": RECIPIENT.public_key, "cek": CEK, "signer": NODE}
    return seal(**{**parts, **changes})


ENVELOPE = sealed()


def signed_again(envelope):
    """What a hostile holder of a listed node key can do: sign whatever envelope it likes."""
    return replace(envelope, signature=NODE.sign(node_message(envelope_digest(envelope))))


def flipped(raw, bit):
    bit %= len(raw) * 8
    return raw[: bit // 8] + bytes([raw[bit // 8] ^ 1 << bit % 8]) + raw[bit // 8 + 1 :]


def test_an_envelope_opens_to_what_was_sealed():
    verify_outer(ENVELOPE, NODE.public_key)

    assert open_envelope(ENVELOPE, RECIPIENT, commitment=COMMITMENT) == INNER


def test_a_node_seals_without_an_officer():
    automatic = replace(INNER, statement_signature=b"")

    assert open_envelope(sealed(inner=automatic), RECIPIENT, commitment=body_commitment(automatic)) == automatic


@pytest.mark.parametrize("part", ["header", "wrap", "ciphertext", "signature"])
def test_one_flipped_bit_in_any_part_is_refused_by_the_outer_signature(part):
    raw = getattr(ENVELOPE, part)

    for bit in range(0, len(raw) * 8, 1 + len(raw) // 8):
        with pytest.raises(Unauthentic):
            verify_outer(replace(ENVELOPE, **{part: flipped(raw, bit)}), NODE.public_key)


@settings(max_examples=60)
@given(part=st.sampled_from(["header", "wrap", "ciphertext"]), bit=st.integers(0, 2**16))
def test_one_flipped_bit_is_refused_even_when_a_listed_node_signs_it(part, bit):
    changed = signed_again(replace(ENVELOPE, **{part: flipped(getattr(ENVELOPE, part), bit)}))
    verify_outer(changed, NODE.public_key)

    with pytest.raises(Unauthentic):
        open_envelope(changed, RECIPIENT, commitment=COMMITMENT)


def test_the_signature_of_another_node_is_refused():
    with pytest.raises(Unauthentic):
        verify_outer(ENVELOPE, OFFICER.public_key)


def test_the_signature_of_an_officer_is_not_that_of_a_node():
    with pytest.raises(Unauthentic):
        verify_outer(replace(ENVELOPE, signature=NODE.sign(officer_message(envelope_digest(ENVELOPE)))), NODE.public_key)


def test_an_envelope_for_somebody_else_does_not_open():
    with pytest.raises(Unauthentic):
        open_envelope(ENVELOPE, suite.PrivateKey(b"x" * 32), commitment=COMMITMENT)


def test_a_body_that_is_swapped_under_a_receipted_header_is_refused_by_the_commitment():
    """The sender itself seals another body, validly signed by its officer, under the header that was receipted."""
    swapped = sealed(inner=replace(INNER, body=b"we asked something else"))
    verify_outer(swapped, NODE.public_key)

    with pytest.raises(Unauthentic):
        open_envelope(swapped, RECIPIENT, commitment=COMMITMENT)


@pytest.mark.parametrize("field", ["statement", "statement_signature", "salt", "body"])
def test_the_commitment_is_to_every_field(field):
    assert body_commitment(replace(INNER, **{field: flipped(getattr(INNER, field), 7)})) != COMMITMENT


def test_the_wrap_of_one_header_does_not_serve_another():
    other = sealed(header=b"another header")

    with pytest.raises(Unauthentic):
        open_envelope(signed_again(replace(other, header=HEADER)), RECIPIENT, commitment=COMMITMENT)
    with pytest.raises(Unauthentic):
        open_envelope(signed_again(replace(ENVELOPE, wrap=other.wrap)), RECIPIENT, commitment=COMMITMENT)
    with pytest.raises(Unauthentic):
        open_envelope(signed_again(replace(ENVELOPE, ciphertext=other.ciphertext)), RECIPIENT, commitment=COMMITMENT)


def test_a_refusal_does_not_say_which_step_refused():
    bound = header_hash(HEADER)
    contents = [b"not padded", pad(b"not packed"), pad(pack_inner(replace(INNER, body=b"other")))]
    attempts = [
        replace(ENVELOPE, wrap=flipped(ENVELOPE.wrap, 0)),
        replace(ENVELOPE, ciphertext=flipped(ENVELOPE.ciphertext, 0)),
        replace(ENVELOPE, ciphertext=b""),
        *(replace(ENVELOPE, ciphertext=suite.seal_stream(CEK, b"gsp/v1/body\0" + bound, content)) for content in contents),
    ]
    refusals = set()
    for attempt in attempts:
        with pytest.raises(Unauthentic) as refusal:
            open_envelope(attempt, RECIPIENT, commitment=COMMITMENT)
        refusals.add((type(refusal.value), str(refusal.value), refusal.value.hint, repr(refusal.value.__cause__)))

    assert len(refusals) == 1


def test_sizes_are_known_before_sealing():
    for length in (0, 100, 5_000, 40_000):
        inner = replace(INNER, body=bytes(length))
        envelope = sealed(inner=inner)

        assert (len(envelope.wrap), len(envelope.ciphertext)) == sealed_size(len(pack_inner(inner)))


def test_small_bodies_make_envelopes_of_one_size():
    assert len({len(sealed(inner=replace(INNER, body=bytes(length))).ciphertext) for length in (0, 1, 100)}) == 1


def test_the_digest_needs_only_the_hash_of_the_ciphertext():
    parts = digest_of_parts(header=HEADER, wrap=ENVELOPE.wrap, ciphertext_sha512=sha512(ENVELOPE.ciphertext).digest())

    assert parts == envelope_digest(ENVELOPE)


@pytest.mark.parametrize(
    ("part", "raw"),
    [
        ("header", b""),
        ("header", bytes(limits.HEADER_BYTES_MAX + 1)),
        ("wrap", bytes(suite.WRAP_BYTES - 1)),
        ("signature", b""),
        ("signature", bytes(65)),
        ("ciphertext", bytes(limits.ENVELOPE_BYTES_MAX)),
    ],
)
def test_an_envelope_with_impossible_sizes_is_never_made(part, raw):
    with pytest.raises(Malformed):
        replace(ENVELOPE, **{part: raw})


@pytest.mark.parametrize(
    ("part", "raw", "error"),
    [
        ("statement", b"", Malformed),
        ("statement", bytes(limits.STATEMENT_BYTES_MAX + 1), Oversized),
        ("statement_signature", bytes(63), Malformed),
        ("salt", bytes(31), Malformed),
        ("body", bytes(limits.BODY_BYTES_MAX + 1), Oversized),
    ],
)
def test_contents_with_impossible_sizes_are_never_made(part, raw, error):
    with pytest.raises(error):
        replace(INNER, **{part: raw})


def test_the_largest_contents_fit_into_one_envelope():
    inner = replace(INNER, statement=bytes(limits.STATEMENT_BYTES_MAX), body=bytes(limits.BODY_BYTES_MAX))
    header = bytes(limits.HEADER_BYTES_MAX)

    assert open_envelope(sealed(inner=inner, header=header), RECIPIENT, commitment=body_commitment(inner)) == inner


def test_contents_are_not_shown():
    assert "body" not in repr(INNER).removeprefix("Inner")
    assert repr(INNER) == "Inner()"
    assert repr(ENVELOPE) == "Envelope()"


@given(st.binary(min_size=1, max_size=80), st.sampled_from([b"", b"g" * 64]), st.binary(max_size=80))
def test_contents_come_back_as_they_were_packed(statement, statement_signature, body):
    inner = Inner(statement=statement, statement_signature=statement_signature, salt=bytes(32), body=body)

    assert unpack_inner(pack_inner(inner)) == inner


@given(st.binary(max_size=200))
def test_made_up_contents_are_malformed(packed):
    with pytest.raises(Malformed):
        unpack_inner(packed)


@given(st.data())
def test_contents_with_a_change_in_them_are_malformed_or_have_one_spelling(data):
    packed = pack_inner(INNER)
    start = data.draw(st.integers(0, len(packed)))
    changed = packed[:start] + data.draw(st.binary(max_size=8)) + packed[data.draw(st.integers(start, len(packed))) :]
    try:
        inner = unpack_inner(changed)
    except Malformed:
        return
    assert pack_inner(inner) == changed


@given(st.binary(max_size=64), st.binary(max_size=64), st.binary(max_size=64), st.binary(max_size=80))
def test_made_up_parts_are_malformed(header, wrap, ciphertext, signature):
    with pytest.raises(Malformed):
        Envelope(header=header, wrap=wrap, ciphertext=ciphertext, signature=signature)

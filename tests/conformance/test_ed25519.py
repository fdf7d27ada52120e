"""The one Ed25519 verifier against Wycheproof and against the edge cases of CCTV."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from federation.errors import Unauthentic
from federation.trust.keys import verify
from tests.support.reference import reference_json


def accepts(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        verify(public_key=public_key, message=message, signature=signature)
    except Unauthentic:
        return False
    return True


def openssl_accepts(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def cctv_cases():
    for case in reference_json("crypto/cctv-ed25519.json"):
        yield case["number"], bytes.fromhex(case["key"]), case["msg"].encode(), bytes.fromhex(case["sig"])


def test_wycheproof_agrees_on_every_signature():
    groups = reference_json("crypto/ed25519_test.json")["testGroups"]
    cases = [(bytes.fromhex(group["publicKey"]["pk"]), case) for group in groups for case in group["tests"]]

    wrong = [
        case["tcId"]
        for public_key, case in cases
        if accepts(public_key, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])) != (case["result"] == "valid")
    ]

    assert len(cases) == 151
    assert wrong == []


def test_of_all_edge_cases_only_the_one_without_an_oddity_is_accepted():
    plain = [case["number"] for case in reference_json("crypto/cctv-ed25519.json") if not case["flags"]]
    accepted = [number for number, *case in cctv_cases() if accepts(*case)]

    assert len(list(cctv_cases())) == 914
    assert accepted == plain == [305]


def test_whatever_is_accepted_is_accepted_by_openssl_too_and_not_the_other_way_round():
    ours = {number for number, *case in cctv_cases() if accepts(*case)}
    theirs = {number for number, *case in cctv_cases() if openssl_accepts(*case)}

    assert ours < theirs
    assert len(theirs) == 208

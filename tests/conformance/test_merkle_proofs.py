"""The 196 proofs, right and wrong, of transparency-dev/merkle."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest

from federation.errors import Malformed, Unauthentic
from federation.trust.merkle import verify_consistency, verify_inclusion
from tests.support.reference import reference

FOLDER = reference("merkle")
INCLUSION = sorted(FOLDER.glob("inclusion/**/*.json"))
CONSISTENCY = sorted(FOLDER.glob("consistency/**/*.json"))


def label(path):
    return path.relative_to(FOLDER).with_suffix("").as_posix()


def hashes(encoded):
    return [b64decode(value) for value in encoded or []]


def outcome(verifier, **proof):
    try:
        verifier(**proof)
    except (Malformed, Unauthentic):
        return "refused"
    return "accepted"


def test_all_published_proofs_are_here():
    assert len(INCLUSION) + len(CONSISTENCY) == 196


@pytest.mark.parametrize("path", INCLUSION, ids=label)
def test_an_inclusion_proof_is_judged_as_published(path):
    case = json.loads(path.read_text())

    verdict = outcome(
        verify_inclusion,
        leaf_hash=b64decode(case["leafHash"]),
        index=case["leafIdx"],
        size=case["treeSize"],
        proof=hashes(case["proof"]),
        root=b64decode(case["root"]),
    )

    assert verdict == ("refused" if case["wantErr"] else "accepted")


@pytest.mark.parametrize("path", CONSISTENCY, ids=label)
def test_a_consistency_proof_is_judged_as_published(path):
    case = json.loads(path.read_text())

    verdict = outcome(
        verify_consistency,
        old_size=case["size1"],
        old_root=b64decode(case["root1"]),
        new_size=case["size2"],
        new_root=b64decode(case["root2"]),
        proof=hashes(case["proof"]),
    )

    assert verdict == ("refused" if case["wantErr"] else "accepted")

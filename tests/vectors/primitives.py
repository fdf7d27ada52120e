"""Known answers for the formats of `federation.trust` and `federation.envelope`, for this project and for other programs.

Everything is a function of the inputs in it. Only `wrap` and `ciphertext` of the sealed envelope have randomness in them: they are
kept from the file that is there, so that it also shows that what was sealed once still opens.

`python -m tests.vectors.primitives` writes the files again; a change in them is a change of the protocol.
"""

from __future__ import annotations

import json
from hashlib import sha512
from pathlib import Path
from typing import Any

from federation.envelope import seal, suite
from federation.envelope.padding import padded_size
from federation.trust import keys, merkle, note
from federation.trust.fingerprint import fingerprint

FOLDER = Path(__file__).parent
NODE = keys.SoftwareSigner(bytes(range(32)))
OFFICER = keys.SoftwareSigner(bytes(range(32, 64)))
PADDED_LENGTHS = (0, 1, 252, 253, 268, 269, 1_000, 4_096, 65_536, 1_000_000, 3_145_728)


def hashing() -> Any:
    parts = [b"", b"a", b"bc", bytes(range(256))]
    spki = bytes(range(91))
    return {
        "parts": [part.hex() for part in parts],
        "digest of all parts under gsp/v1/test": keys.digest("gsp/v1/test", *parts).hex(),
        "digest of no part under gsp/v1/test": keys.digest("gsp/v1/test").hex(),
        "pae of the first three parts as test": keys.pae("test", *parts[:3]).hex(),
        "officer_message of the last part": keys.officer_message(parts[-1]).hex(),
        "node_message of 32 zeros": keys.node_message(bytes(32)).hex(),
        "spki": spki.hex(),
        "fingerprint of the spki": fingerprint(spki),
        "padded_size": {str(length): padded_size(length) for length in PADDED_LENGTHS},
    }


def trees() -> Any:
    nodes: dict[tuple[int, int], bytes] = {}
    frontier = merkle.Frontier()
    grown = [_tree(frontier, ())]
    for number in range(13):
        frontier, completed = frontier.append(merkle.leaf_hash(b"leaf %d" % number))
        nodes.update({(level, index): value for level, index, value in completed})
        grown.append(_tree(frontier, completed))

    def read_node(level: int, index: int) -> bytes:
        return nodes[level, index]

    return {
        "leaves": "leaf 0, leaf 1 and so on, in ASCII",
        "trees": grown,
        "inclusion of leaf 4 in 13": [value.hex() for value in merkle.inclusion_proof(4, 13, read_node)],
        "consistency of 6 with 13": [value.hex() for value in merkle.consistency_proof(6, 13, read_node)],
    }


def _tree(frontier: merkle.Frontier, completed: tuple[merkle.StoredNode, ...]) -> Any:
    return {
        "size": frontier.size,
        "root": frontier.root().hex(),
        "frontier": [value.hex() for value in frontier.hashes],
        "completed": [[level, index] for level, index, _ in completed],
    }


def notes() -> Any:
    checkpoint = note.Checkpoint(origin="log.example", size=13, root=bytes.fromhex(trees()["trees"][13]["root"]))
    text = checkpoint.text()
    lines = (
        note.sign_note(text, "log.example", NODE),
        note.cosign(text, "one.qm.nodes.example", OFFICER, 1_700_000_000),
    )
    log = note.NoteKey(name="log.example", public_key=NODE.public_key)
    witness = note.NoteKey(name="one.qm.nodes.example", public_key=OFFICER.public_key, kind=note.KeyKind.COSIGNATURE)
    return {
        "log seed": bytes(range(32)).hex(),
        "witness seed": bytes(range(32, 64)).hex(),
        "log key": log.verifier_key,
        "witness key": witness.verifier_key,
        "note": note.format_note(note.Note(text=text, signatures=lines)).decode(),
    }


def envelope() -> Any:
    recipient_seed, cek = bytes(range(64, 96)), bytes(range(96, 128))
    statement = b"the exact bytes of a statement"
    inner = seal.Inner(
        statement=statement,
        statement_signature=OFFICER.sign(keys.officer_message(statement)),
        salt=bytes(range(128, 160)),
        body=b"the exact bytes of a body",
    )
    commitment = seal.body_commitment(inner)
    header = b"the exact bytes of a header, with " + commitment
    wrap, ciphertext = _kept_or_sealed(header, inner, suite.public_key_from_seed(recipient_seed), cek)
    digest = seal.digest_of_parts(header=header, wrap=wrap, ciphertext_sha512=sha512(ciphertext).digest())
    return {
        "node seed": bytes(range(32)).hex(),
        "officer seed": bytes(range(32, 64)).hex(),
        "recipient seed": recipient_seed.hex(),
        "cek": cek.hex(),
        "statement": inner.statement.hex(),
        "statement_signature": inner.statement_signature.hex(),
        "salt": inner.salt.hex(),
        "body": inner.body.hex(),
        "packed": seal.pack_inner(inner).hex(),
        "commitment": commitment.hex(),
        "header": header.hex(),
        "header_hash": seal.header_hash(header).hex(),
        "wrap": wrap.hex(),
        "ciphertext": ciphertext.hex(),
        "digest": digest.hex(),
        "signature": NODE.sign(keys.node_message(digest)).hex(),
    }


def _kept_or_sealed(header: bytes, inner: seal.Inner, recipient_public: bytes, cek: bytes) -> tuple[bytes, bytes]:
    path = FOLDER / "envelope.json"
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        return bytes.fromhex(kept["wrap"]), bytes.fromhex(kept["ciphertext"])
    sealed = seal.seal(header=header, inner=inner, recipient_public=recipient_public, cek=cek, signer=NODE)
    return sealed.wrap, sealed.ciphertext


FILES = {"hashing.json": hashing, "trees.json": trees, "notes.json": notes, "envelope.json": envelope}


def render(name: str) -> str:
    return json.dumps(FILES[name](), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for file_name in FILES:
        (FOLDER / file_name).write_text(render(file_name), encoding="utf-8")

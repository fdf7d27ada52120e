"""Chapter 8: whoever holds the evidence can check it, with no node and no trust in those who made it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from federation.evidence.bundle import Disclosure
from node.cli.demonstration.processes import Ended, together
from node.cli.demonstration.stage import Stage
from node.cli.demonstration.teller import require
from node.cli.documents import answer_document
from node.cli.exit_codes import ExitCode
from node.cli.output import Document
from node.use_cases.desk_values import QueryView

_REFUSALS: Final = frozenset([ExitCode.MISBEHAVIOUR, ExitCode.DATA])
"""How the check ends when a file is not what it says: the bytes do not verify, or do not even parse."""


async def evidence_checked(stage: Stage) -> None:
    """A process of its own, in an empty folder, with nothing but the file and two published numbers."""
    teller, federation, first = stage.teller, stage.federation, stage.first
    assert first is not None  # the story does not come here without chapter 1
    proof = await stage.asker.desk.proof(first.asked.message_id, disclose=Disclosure.ALL)
    flipped = len(proof) // 2
    changed = bytes([*proof[:flipped], proof[flipped] ^ 1, *proof[flipped + 1 :]])
    teller.say(
        f"Months later a court of {stage.name('qm')} wants to know whether {stage.name('qn')} really said what chapter 1 shows. It "
        f"gets one file of {len(proof)} bytes. A new process checks it in an empty folder. It knows no node and uses no network; it "
        "gets the file and the two numbers that the Secretariat has published to everybody:"
    )
    teller.show([f"gsp proof verify proof --log-key {federation.log_key}", f"      --genesis {federation.genesis}", ""])
    held, refused = await together(
        _checked(stage, federation.folder / "proof", proof), _checked(stage, federation.folder / "proof-changed", changed)
    )
    teller.note(proof_bytes=len(proof), report=held.document)
    require(held.code == ExitCode.FINE, f"the proof does not hold: {held.document.get('error')}")
    _require_same(held.document, first)
    teller.say(
        "The proof holds. It shows the question and the answer word for word, who signed each, the receipt of "
        f"{stage.name('qn')} for the question, and where both stand in the journal. The directory behind it is cosigned by "
        f"{', '.join(held.document['cosigners'])}."
    )
    teller.note(changed_byte=flipped, refused=refused.document, refused_code=refused.code)
    require(refused.code in _REFUSALS, f"a changed copy is taken with {refused.code}")
    teller.say(
        f"In a copy, one byte of {len(proof)} is changed. The same check refuses it: {refused.document['error']['message']}."
    )


async def _checked(stage: Stage, file: Path, content: bytes) -> Ended:
    file.write_bytes(content)
    folder = file.with_suffix(".check")
    folder.mkdir()
    published = ("--log-key", stage.federation.log_key, "--genesis", stage.federation.genesis)
    ended = await stage.federation.processes.run("proof", "verify", file, *published, folder=folder)
    require(not list(folder.iterdir()), "the check left something behind")
    return ended


def _require_same(report: Document, first: QueryView) -> None:
    """The proof shows what chapter 1 has shown, and nothing else."""
    asked, answered = report["messages"]
    require(asked["receipt"] is not None, "the proof shows no receipt for the question")
    require(
        asked["content"]["kind"] == "query" and asked["id"] == first.asked.message_id.hex(), "the proof shows another question"
    )
    require(answered["content"]["said"] == answer_document(first.answers[0].answer), "the proof shows another answer")

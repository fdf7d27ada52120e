"""Chapter 8: whoever holds the evidence can check it, with no node and no trust in those who made it."""

from __future__ import annotations

from typing import Final

from node.cli.demonstration.processes import together
from node.cli.demonstration.stage import Stage
from node.cli.demonstration.teller import require
from node.cli.exit_codes import ExitCode

_REFUSALS: Final = frozenset([ExitCode.MISBEHAVIOUR, ExitCode.DATA])
"""How the check ends when a file is not what it says: the bytes do not verify, or do not even parse."""


async def evidence_checked(stage: Stage) -> None:
    """A process of its own, in an empty folder, with nothing but the file and two published numbers."""
    teller, folder = stage.teller, stage.federation.folder / "court"
    require(stage.first_query is not None, "there is no query to prove")
    assert stage.first_query is not None  # required above
    proof = await stage.asker.desk.proof(stage.first_query, disclose=True)
    flipped = len(proof) // 2
    changed = bytes([*proof[:flipped], proof[flipped] ^ 1, *proof[flipped + 1 :]])
    folder.mkdir()
    files = (stage.federation.folder / "proof", stage.federation.folder / "proof-changed")
    for file, content in zip(files, (proof, changed), strict=True):
        file.write_bytes(content)
    teller.say(
        f"Months later a court of {stage.name('qm')} wants to know whether {stage.name('qn')} really said what chapter 1 shows. It "
        f"gets one file of {len(proof)} bytes. A new process checks it in an empty folder. It knows no node and uses no network; it "
        "gets the file and the two numbers that the Secretariat has published to everybody:"
    )
    teller.show(
        [f"gsp proof verify proof --log-key {stage.federation.log_key}", f"      --genesis {stage.federation.genesis}", ""]
    )
    published = ("--log-key", stage.federation.log_key, "--genesis", stage.federation.genesis)
    held, refused = await together(
        *(stage.federation.processes.run("proof", "verify", file, *published, folder=folder) for file in files)
    )
    report = held.document
    teller.note(proof_bytes=len(proof), report=report, changed_byte=flipped, refused=refused.document, refused_code=refused.code)
    require(held.code == ExitCode.FINE and report.get("holds") is True, f"the proof does not hold: {report.get('error')}")
    said = [message["content"]["said"] for message in report["messages"] if message["content"]["kind"] == "answer"]
    require(len(said) == 1 and said[0]["results"][0]["outcome"] == "found", "the proof does not show the answer")
    require(not list(folder.iterdir()), "the check left something behind")
    teller.say(
        f"The proof holds: {len(report['messages'])} messages, the question and its answer, with what was said, who signed it, when "
        f"the other side received it, and where it stands in the journal. Directory cosigned by {', '.join(report['cosigners'])}."
    )
    require(refused.code in _REFUSALS, f"a changed copy is taken with {refused.code}")
    teller.say(
        f"In a copy, one byte of {len(proof)} is changed. The same check refuses it: {refused.document['error']['message']}"
    )

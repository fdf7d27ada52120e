"""What a person reads of files that are carried: every fate, and every number that asks for something to be done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from federation import limits
from federation.errors import Conflict, InvalidInput, Oversized
from federation.identity import MessageId, PartyId
from node.cli.parcel_words import (
    FATES,
    check_new,
    exported_document,
    exported_lines,
    imported_document,
    imported_lines,
    read_file,
    write_new,
)
from node.use_cases.carrying_values import Content, Exported, Fate, Outcome, Step

EXPORTED = Exported(
    file=b"1234",
    parcel_id=bytes(16),
    party=PartyId("qn"),
    created=0,
    messages=0,
    sealed_anew=0,
    left=0,
    without_key=0,
    receipts=0,
)
STEP = Step(party=PartyId("qm"), parcel_id=bytes(16), created=0, outcomes=(), done=0, total=0, entries=0, entries_problem="")


def told(**changes: int) -> str:
    return "\n".join(exported_lines(Path("to-qn"), replace(EXPORTED, **changes)))


def test_a_file_without_messages_says_what_is_in_it_and_asks_for_nothing():
    assert told().splitlines() == [
        f"to-qn: 4 bytes for qn, file {32 * '0'}",
        "In it: 0 sealed messages; 0 receipts; our newest key.",
    ]


def test_what_was_sealed_anew_left_out_or_cannot_be_sealed_is_told():
    assert "2 sealed messages, 1 of them sealed anew because the earlier sealing had ended; 1 receipt;" in told(
        messages=2, sealed_anew=1, receipts=1
    )
    assert "5 messages left for the next file" in told(left=5)
    assert "1 message cannot be sealed: no key of qn is here" in told(without_key=1)
    assert "Import a file of that Party first" in told(without_key=1)
    assert exported_document(Path("to-qn"), EXPORTED)["bytes"] == 4


def test_every_fate_has_words_and_a_reason_is_told_with_its_hint():
    assert FATES.keys() == set(Fate)
    outcomes = tuple(
        Outcome(content=Content.MESSAGE, message_id=MessageId(bytes(16)), fate=fate, words="It is wrong", hint="mend it")
        for fate in Fate
    )
    unread = Outcome(content=Content.RECEIPT, message_id=None, fate=Fate.REFUSED, problem="malformed")
    step = replace(STEP, outcomes=(*outcomes, unread), entries=3, entries_problem="They are old")

    lines = list(imported_lines((STEP, step)))

    assert lines[0] == f"From qm, made 1970-01-01 00:00 UTC, file {32 * '0'}"
    for outcome, line in zip(outcomes, lines[1:], strict=False):
        assert line.endswith(f"{FATES[outcome.fate]}: It is wrong (mend it)")
    assert "(cannot be read)" in lines[5]
    assert lines[-2:] == [
        "New entries of the directory that came with it: 3.",
        "The directory entries in it were not taken: They are old.",
    ]
    document = imported_document((STEP, step))
    assert [one["fate"] for one in document["outcomes"]] == [*(str(fate) for fate in Fate), "refused"]
    assert list(imported_lines((STEP,)))[1] == "There is no message and no receipt in it."


def test_a_file_replaces_no_other_one_and_a_larger_one_than_any_is_not_read(tmp_path):
    path = tmp_path / "file"
    check_new(path)
    write_new(path, bytes(limits.PARCEL_BYTES_MAX))
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(read_file(path)) == limits.PARCEL_BYTES_MAX

    for again in (check_new, lambda one: write_new(one, b"")):
        with pytest.raises(Conflict, match="there already"):
            again(path)
    with path.open("ab") as more:
        more.write(b"\0")
    with pytest.raises(Oversized):
        read_file(path)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_file(tmp_path)
    with pytest.raises(InvalidInput, match="cannot be written"):
        write_new(tmp_path / "no folder" / "file", b"")

"""`gsp audit` at a fake desk: what is printed, what is written, and that what was stopped says so."""

from __future__ import annotations

import csv
import json
import stat
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from federation.errors import Unavailable
from node import limits
from node.__main__ import main
from node.cli.exit_codes import ExitCode
from node.cli.session import Surroundings
from node.rpc.audit import NEXT, decode_search, encode_page
from node.use_cases.audit_values import AuditRow, Closing, Found, chained, parse_closing, sign_closing
from tests.support.fake_desk import connecting
from tests.unit.test_audit_files import NODE, SIGNER, row

KEY = SIGNER.public_key.hex()


class FakeAudit:
    """Gives two rows a call."""

    def __init__(self, rows: list[AuditRow], *, fails_after: int = 1_000) -> None:
        self.rows = rows
        self.calls = 0
        self._fails_after = fails_after

    def __call__(self, method, request):
        self.calls += 1
        if self.calls > self._fails_after:
            raise Unavailable("the node stops")
        if method is NEXT:
            self._closing = parse_closing(request.closing.split(b"\n\n")[0] + b"\n")
            start = self._closing.rows
        else:
            self.search, start = decode_search(request), 0
        rows = self.rows[start : start + 2]
        after = start + len(rows)
        closing = Closing(
            node=NODE,
            officer_id="o",
            began=1_800_000_000,
            search=self.search,
            rows=after,
            digest=chained(bytes(32), self.rows[:after]),
            erased=0,
            next=-1 if after == len(self.rows) else 7,
            journal=f"{NODE}/journal",
            size=9,
            root=bytes(32),
        )
        return encode_page(Found(rows=tuple(rows), closing=sign_closing(closing, SIGNER)))


@pytest.fixture
def audit(terminal) -> FakeAudit:
    terminal.desk.audit = FakeAudit([row(number, reference="=SUM(A1)") for number in range(5)])
    return terminal.desk.audit


def test_all_that_is_named_is_looked_for(terminal, audit):
    words = (
        "--since 2026-01-01 --until 2026-02-01T12:00:00Z --party qn --by o1 --state expired --reference c --code x --kind sent"
    )
    assert terminal.run(f"audit search {words}").exit_code == 0
    looked = audit.search
    assert (looked.since, looked.until) == (1_767_225_600, 1_769_947_200)
    assert (looked.peer, looked.officer_id, looked.state) == ("qn", "o1", "expired")
    assert (looked.reference, looked.code, looked.kind) == ("c", "x", "sent")


def test_so_many_rows_are_shown_and_more_are_told(terminal, audit):
    shown = terminal.run("audit search --rows 3").stdout.splitlines()
    assert len(shown) == 1 + 3 + 1
    assert "There may be more" in shown[-1]
    document = json.loads(terminal.run("audit search --rows 50 --json").stdout)
    assert [one["position"] for one in document["rows"]] == [0, 1, 2, 3, 4]
    assert document["closing"]["complete"]
    assert audit.calls == 2 + 3


def test_a_search_on_a_terminal_ends_somewhere(terminal, audit, monkeypatch):
    monkeypatch.setattr(limits, "AUDIT_CALLS_MAX", 2)
    document = json.loads(terminal.run("audit search --rows 50 --json").stdout)
    assert (len(document["rows"]), document["closing"]["complete"], audit.calls) == (4, False, 2)


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_an_export_is_whole_signed_and_for_its_owner_only(terminal, audit, form):
    path = terminal.folder / "rows"
    assert terminal.run(f"audit export -o {path} --format {form}").exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    checked = terminal.run(f"audit verify {path} --key {KEY} --json", officer=False)
    assert (checked.exit_code, json.loads(checked.stdout)["closing"]["rows"]) == (0, len(audit.rows))
    assert terminal.run(f"audit export -o {path}").exit_code == ExitCode.USAGE
    if form == "csv":
        with path.open(newline="") as file:
            assert not [cell for line in csv.reader(file) for cell in line if cell.startswith("=")]


def test_an_export_that_was_stopped_is_closed_and_says_so(terminal):
    terminal.desk.audit = FakeAudit([row(number) for number in range(5)], fails_after=2)
    path = terminal.folder / "rows"
    assert terminal.run(f"audit export -o {path}").exit_code == ExitCode.UNAVAILABLE
    checked = terminal.run(f"audit verify {path} --key {KEY}", officer=False)
    assert checked.exit_code == ExitCode.WARNING
    assert "NOT ALL" in checked.stdout
    assert "4 records" in checked.stdout


def test_a_search_that_is_refused_leaves_no_file(terminal):
    terminal.desk.audit = FakeAudit([], fails_after=0)
    path = terminal.folder / "rows"
    assert terminal.run(f"audit export -o {path}").exit_code == ExitCode.UNAVAILABLE
    assert not path.exists()


def test_an_export_ends_where_no_file_is_larger(terminal, audit, monkeypatch):
    monkeypatch.setattr(limits, "AUDIT_FILE_BYTES_MAX", 4_000)
    path = terminal.folder / "rows"
    assert terminal.run(f"audit export -o {path}").exit_code == ExitCode.WARNING
    assert audit.calls == 2


def test_a_shortened_file_is_refused(terminal, audit):
    path = terminal.folder / "rows"
    terminal.run(f"audit export -o {path}")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[1:]))
    refused = terminal.run(f"audit verify {path} --key {KEY}", officer=False)
    assert (refused.exit_code, refused.stdout) == (ExitCode.MISBEHAVIOUR, "")
    assert len(audit.rows) == len(lines) - 1


@pytest.mark.parametrize(
    "words", ["search --state lost", "search --kind whispered", "search --since yesterday", "export", "search --party q1"]
)
def test_what_cannot_be_is_not_looked_for(terminal, audit, words):
    assert terminal.run(f"audit {words}").exit_code in {ExitCode.BAD, ExitCode.USAGE}
    assert audit.calls == 0


def test_own_officers_are_named_where_that_is_wished_and_in_no_file(terminal, audit):
    """By the own node, to whoever may see its officers; what is exported has their ids alone."""

    class Administration:
        async def officers(self):
            return [SimpleNamespace(officer_id="o-1", name="Ana Example")]

    @asynccontextmanager
    async def administer(_profile, _clock):
        yield Administration()

    surroundings = Surroundings(clock=terminal.clock, connect=connecting(terminal.desk), administer=administer)
    environment = {"GSP_OFFICER": str(terminal.profile)}
    named = CliRunner().invoke(main, ["audit", "search", "--names", "--json"], obj=surroundings, env=environment)
    assert {one["officer"] for one in json.loads(named.stdout)["rows"]} == {"Ana Example"}
    assert "Ana Example" in CliRunner().invoke(main, ["audit", "search", "--names"], obj=surroundings, env=environment).stdout
    path = terminal.folder / "rows"
    terminal.run(f"audit export -o {path}")
    assert b"Ana Example" not in path.read_bytes()
    assert b"o-1" in path.read_bytes()
    assert audit.calls

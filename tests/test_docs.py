"""Documents are executed: what they show is typed, what they list is compared, what they point at is there.

The parts between `<!-- generated: … -->` and `<!-- end -->` are made from the code; `make docs` writes them again.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

import click
import pytest

from federation.errors import FederationError
from node.cli.exit_codes import ExitCode
from node.config import NodeSettings, SecretariatSettings, read_node_settings, read_policy, read_secretariat_settings
from node.formats.trace_files import read_filings
from node.trace.events import EVENT_KINDS
from node.trace.model import REFERENCE_KINDS
from tests.support.checkout import ROOT, files, sources, text, tree
from tests.support.documents import commands, documents, error_tree, filled, screens
from tests.support.transcript import Shell, Step, steps

README = Path("README.md")
PROTOCOL = Path("docs/protocol.md")
THREATS = Path("docs/threat-model.md")
OPERATING = Path("docs/operating.md")
GUIDE = Path("docs/user-guide.md")
JOINING = Path("docs/registration-guide.md")
PROTOS = tuple(path for path in files() if path.suffix == ".proto")


# --- what is typed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", [GUIDE, OPERATING, JOINING], ids=str)
def test_what_a_document_types_says_what_the_document_shows(document, tmp_path):
    (tmp_path / "config").symlink_to(ROOT / "config")
    shell = Shell(tmp_path)
    try:
        for step in steps(text(document)):
            shell.run(hurried(step))
    finally:
        codes = shell.close()

    assert set(codes) <= {0}


def hurried(step: Step) -> Step:
    """Deriving keys from a passphrase takes a second each time, on purpose; not here."""
    cheap = re.sub(
        r"^gsp (secretariat (?:init|prepare)|founder new|root new|party join)", r"gsp \1 --keystore-cost minimal", step.command
    )
    cheap = re.sub(r"^gsp backup --home", "gsp backup --cost minimal --home", cheap)
    return Step(cheap, step.output)


def test_the_quick_start_names_targets_and_verbs_that_there_are():
    quick = [line.removeprefix("$ ").split("#")[0].split() for line in text(README).splitlines() if line.startswith("$ ")]
    targets = set(re.findall(r"^([a-z]+):", text(Path("Makefile")), re.MULTILINE))

    assert quick == [["make", "demo"], ["make", "test"]]
    assert {target for _, target in quick} <= targets
    assert set(re.findall(r"`make ([a-z]+)`", "".join(text(path) for path in documents()))) <= targets


def test_every_target_of_make_is_in_its_help():
    makefile = text(Path("Makefile"))
    phony = set(re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split())

    assert phony - set(re.findall(r'@echo "make ([a-z-]+)', makefile)) == {"help", "setup", "clean"}


def test_every_command_in_a_document_is_one_that_there_is():
    known = dict(commands())
    groups = {name.rpartition(" ")[0] for name in known}
    for path in documents():
        for command in re.findall(r"(?:^\s+|^\$ |`)(gsp [a-z][^`\n]*)", text(path), re.MULTILINE):
            words = command.split()
            name = next((found for end in (4, 3, 2) if (found := " ".join(words[:end])) in known), None)

            assert name is not None or " ".join(words[:2]) in groups, f"{path}: {command}"
            if name is not None:
                options = {option for one in known[name].params if isinstance(one, click.Option) for option in one.opts} | {
                    "--help"
                }
                assert set(re.findall(r"(?<=\s)--?[a-z][a-z0-9-]*", command.split(" # ")[0])) <= options, f"{path}: {command}"


# --- what is made from the code -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", documents(), ids=str)
def test_the_generated_parts_are_as_the_code_has_them(path):
    written, made = text(path).splitlines(), filled(text(path)).splitlines()
    differences = list(unified_diff(written, made, "written", "made", n=0, lineterm=""))[:12]

    assert not differences, "run `make docs`"


def test_every_picture_of_a_screen_is_as_its_session_draws_it():
    drawn = screens()
    kept = {path: text(path) for path in files() if path.parent == Path("docs/pictures")}

    assert len(drawn) >= 6
    assert kept == drawn, "run `make docs`"


def test_the_help_of_every_command_is_in_a_guide():
    shown = re.findall(r"<!-- generated: help (.+?) -->", text(GUIDE) + text(OPERATING))

    assert sorted(shown) == sorted(name for name, _ in commands())


# --- what is listed -----------------------------------------------------------------------------------------------------------


def test_every_message_service_and_vocabulary_on_the_wire_is_in_the_protocol_document():
    names = {name for path in PROTOS for name in re.findall(r"^(?:message|service|enum) (\w+)", text(path), re.MULTILINE)}
    missing = {name for name in names if not re.search(rf"`{name}`", text(PROTOCOL))}

    assert missing == set()


def test_every_call_on_the_wire_is_in_the_protocol_document():
    calls = {name for path in PROTOS for name in re.findall(r"^  rpc (\w+)", text(path), re.MULTILINE)}

    assert {name for name in calls if f"`{name}`" not in text(PROTOCOL)} == set()


def test_every_label_of_the_hash_and_every_prefix_is_in_the_protocol_document():
    labels = {
        found.value.split("\0")[0] if isinstance(found.value, str) else found.value.split(b"\0")[0].decode()
        for path in sources("federation", "node")
        for found in ast.walk(tree(path))
        if isinstance(found, ast.Constant) and isinstance(found.value, str | bytes) and is_label(found.value)
    }

    assert len(labels) > 10
    assert {label for label in labels if label not in text(PROTOCOL)} == LOCAL_LABELS


LOCAL_LABELS = {"gsp/v1/store"}
"""What never leaves a node: the binding of what lies encrypted in its own files."""


def is_label(value: str | bytes) -> bool:
    whole = value if isinstance(value, str) else value.decode("latin-1")
    return re.fullmatch(r"gsp/v1/[a-z-]+\0?", whole) is not None


def test_every_setting_is_in_the_operating_guide_and_in_its_example():
    for settings, example in ((NodeSettings, "node"), (SecretariatSettings, "secretariat")):
        for field in settings.__struct_fields__:
            assert f"| `{field}` |" in text(OPERATING)
            assert re.search(rf"^{field} = ", text(Path(f"config/{example}.example.toml")), re.MULTILINE), field


def test_every_error_and_every_exit_code_is_in_the_user_guide():
    codes = {f"| `{error.code}` |" for error in error_tree() if error is not FederationError}
    endings = {f"| `{code.value}` |" for code in ExitCode}

    assert {one for one in codes | endings if one not in text(GUIDE)} == set()


def test_every_environment_variable_is_in_the_operating_guide():
    used = {name for path in sources() for name in re.findall(r"\bGSP_[A-Z]+\b", text(path))}

    assert {name for name in used if f"`{name}`" not in text(OPERATING)} == set()


def test_every_kind_of_record_is_in_the_operating_guide():
    kinds = {*EVENT_KINDS, *REFERENCE_KINDS, "coverage"}

    assert {kind for kind in kinds if f"`{kind}`" not in text(OPERATING)} == set()


def test_every_key_that_json_output_has_is_in_a_guide():
    guides = text(GUIDE) + text(OPERATING)
    printed = {key for path in sources("node") if path.parent == Path("node/cli") for key in json_keys(path)}

    assert {"id", "answers", "results", "take_away", "signatures"} <= printed
    assert {key for key in printed if f'"{key}"' not in guides and f"`{key}`" not in guides} == set()


def json_keys(path: Path) -> Iterator[str]:
    """Keys of the documents that a verb prints: built by a function that gives one, called `document`, or shown at once."""
    for found in ast.walk(tree(path)):
        match found:
            case ast.FunctionDef(returns=ast.expr() as gives) if ast.unparse(gives) in {"Document", "dict[str, Any]"}:
                yield from keys_in(found)
            case ast.Assign(targets=[ast.Name(id="document")], value=ast.Dict()):
                yield from keys_in(found)
            case ast.Call(func=ast.Name(id="show"), args=[ast.Dict() as document, *_]):
                yield from keys_in(document)


def keys_in(node: ast.AST) -> Iterator[str]:
    for found in ast.walk(node):
        if isinstance(found, ast.Dict):
            yield from (key.value for key in found.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


def test_every_check_of_the_doctor_is_in_the_operating_guide():
    names = {
        keyword.value.value
        for path in sources("node")
        for found in ast.walk(tree(path))
        if isinstance(found, ast.Call) and ast.unparse(found.func) == "Check"
        for keyword in found.keywords
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant)
    }

    assert {name for name in names if name not in text(OPERATING)} == set()


# --- what is pointed at ---------------------------------------------------------------------------------------------------------


def test_every_link_between_documents_leads_somewhere():
    dead = [
        f"{path}: {target}"
        for path in documents()
        for target in re.findall(r"\]\(([^)#]+)\)", text(path))
        if "://" not in target and not (ROOT / path.parent / target).exists()
    ]

    assert dead == []


def test_every_file_that_a_document_names_is_there():
    named = re.compile(r"`((?:config|docs|federation|node|protos|tests|benchmarks)/[\w./-]*\w)`")
    gone = [
        f"{path}: {name}"
        for path in documents()
        for name in named.findall(text(path))
        if not (ROOT / name).exists() and "/x." not in name
    ]

    assert gone == []


def test_every_pitfall_is_held_by_tests_that_there_are():
    pitfalls = re.split(
        r"^\d+\. \*\*", text(THREATS).partition("## Fifteen pitfalls")[2].partition("\n## ")[0], flags=re.MULTILINE
    )

    assert len(pitfalls) == 1 + 15
    for pitfall in pitfalls[1:]:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", pitfall)
        assert named, pitfall
        for path, name in named:
            assert re.search(rf"^(?:async )?def {name}\(", text(Path(path)), re.MULTILINE), f"{path}::{name}"


def test_every_decision_is_numbered_and_says_why():
    decisions = sorted(path for path in documents() if path.parent == Path("docs/adr"))

    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        assert all(f"## {part}" in text(path) for part in ("Context", "Decision", "Consequences")), path
        assert len(text(path).splitlines()) <= 60, path


# --- examples ---------------------------------------------------------------------------------------------------------------------


def test_the_example_settings_can_be_read():
    config = ROOT / "config"

    assert read_node_settings(config / "node.example.toml").party == "qm"
    assert read_secretariat_settings(config / "secretariat.example.toml").domain == "gsp.example.org"
    assert len(read_policy(config / "policy.example.toml").rules) == 2


def test_the_example_records_can_be_read():
    with (ROOT / "config" / "records.example.jsonl").open("rb") as stream:
        assert len(list(read_filings(stream))) == 14

"""The house rules that a machine can hold. A rule that is not executed is a wish.

Formatting, complexity and types are held by ruff, mypy and import-linter, which run here too, each once.
"""

from __future__ import annotations

import ast
import importlib.util
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib import metadata
from itertools import pairwise
from pathlib import Path

import pytest

import node
from federation import errors, limits
from federation.errors import FederationError
from node import limits as node_limits
from node.__main__ import VERBS
from node.cli.exit_codes import MEANINGS, ExitCode
from node.rpc import errors as rpc_errors
from tests.support.checkout import GENERATED, ROOT, files, module_name, sources, text, tree

FUNCTION_LINES_MAX = 50
MODULE_LINES_MAX = 400
PORT_METHODS_MAX = 7

PRODUCTION = sources("federation", "node")
CODE = (*PRODUCTION, *sources("benchmarks"), Path("hatch_build.py"))
PORTS = (
    *(path for path in sources("federation") if path.parent == Path("federation/ports")),
    *map(Path, ("node/trace/ports.py", "node/use_cases/officers.py")),
)
ENTRY_POINTS = {"node.__main__"}
LIMITS = (Path("federation/limits.py"), Path("node/limits.py"))

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    return (found for found in ast.walk(tree(path)) if isinstance(found, Function))


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """Each line of a file behind the place at which it stands."""
    return ((f"{path}:{number}", line) for number, line in enumerate(text(path).splitlines(), start=1))


def all_lines() -> Iterator[tuple[str, str]]:
    return (numbered for path in files() for numbered in lines(path))


# --- size and shape -------------------------------------------------------------------------------------------------------


def test_no_function_is_longer_than_a_screen():
    long = {
        f"{path}:{found.lineno} {found.name}": length
        for path in CODE
        for found in functions(path)
        if (length := found.end_lineno - found.lineno + 1) > FUNCTION_LINES_MAX
    }

    assert long == {}


def test_no_module_is_longer_than_can_be_read_in_one_go():
    long = {str(path): length for path in PRODUCTION if (length := len(text(path).splitlines())) > MODULE_LINES_MAX}

    assert long == {}


def test_every_module_says_what_it_is_for():
    silent = [str(path) for path in sources() if not ast.get_docstring(tree(path)) and not is_test(path)]

    assert silent == []


def is_test(path: Path) -> bool:
    """Test modules are named for what they test, and their functions are sentences."""
    return path.name.startswith("test_")


def test_every_port_has_few_methods_and_a_contract():
    for path in PORTS:
        for found in tree(path).body:
            if isinstance(found, ast.ClassDef) and any(ast.unparse(base) == "Protocol" for base in found.bases):
                methods = [one for one in found.body if isinstance(one, Function)]

                assert len(methods) <= PORT_METHODS_MAX, f"{path}: {found.name}"
                assert ast.get_docstring(found), f"{path}: {found.name}"
                assert all(ast.get_docstring(one) for one in methods), f"{path}: {found.name}"


# --- nothing is dead, nothing is unfinished ---------------------------------------------------------------------------------


def test_every_module_is_used_by_another_one():
    names = {module_name(path) for path in PRODUCTION if path.name != "__init__.py"}
    used = {name for path in PRODUCTION for name in mentioned(path, names)}

    assert names - used == ENTRY_POINTS


def mentioned(path: Path, names: set[str]) -> Iterator[str]:
    """Modules that a file imports, or names in a text, as the table of verbs does."""
    for found in ast.walk(tree(path)):
        match found:
            case ast.ImportFrom(module=str(module), names=imported):
                yield module
                yield from (f"{module}.{one.name}" for one in imported)
            case ast.Import(names=imported):
                yield from (one.name for one in imported)
            case ast.Constant(value=str(word)) if word in names:
                yield word


def test_every_module_of_test_support_is_used():
    names = {module_name(path) for path in sources("tests") if "support" in path.parts}
    used = {name for path in sources("tests", "benchmarks") for name in mentioned(path, names)}
    used |= set(re.findall(r"-m (tests\.support\.\w+)", text(Path("Makefile"))))

    assert names - used == set()


def test_every_verb_in_the_list_is_there():
    missing = [name for name, verb in VERBS.items() if importlib.util.find_spec(verb.module) is None]

    assert missing == []


def test_nothing_is_left_for_later():
    later = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")

    assert [place for place, line in all_lines() if later.search(line)] == []


def test_every_exception_to_a_rule_has_its_reason_beside_it():
    exception = re.compile(r"#\s*(?:noqa|type: ignore|pragma: no cover)\b")
    reasoned = re.compile(r"#\s*(?:noqa: [A-Z0-9, ]+|type: ignore\[[a-z-, ]+\]|pragma: no cover)\s+#\s+\w")
    bare = [place for path in sources() for place, line in lines(path) if exception.search(line) and not reasoned.search(line)]

    assert [place for place in bare if not place.startswith("tests/test_tidy.py")] == []


def test_every_dependency_is_used_and_every_import_is_declared():
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    declared = {re.split(r"[<>=~!]", one)[0] for one in project["dependencies"]}
    providers = metadata.packages_distributions()
    imported = {
        name.partition(".")[0]
        for path in PRODUCTION
        for name in mentioned(path, set())
        if name.partition(".")[0] not in {*sys.stdlib_module_names, "federation", "node"}
    }
    needed = {provider for name in imported for provider in providers[name]} - {"types-protobuf", "googleapis-common-protos"}

    assert {one.lower() for one in needed} == declared


# --- what is in the repository ------------------------------------------------------------------------------------------------


def test_generated_code_is_not_committed():
    assert [str(path) for path in files() if str(path).startswith(GENERATED) or path.name.endswith(("_pb2.py", "_pb2.pyi"))] == []


def test_no_path_of_a_machine_is_in_any_file():
    """Nobody's home, and not where this checkout lies, unless that is too short a name to tell."""
    homes = re.compile(r"(?<![\w.])/(?:home|Users|root|mnt|private)/\w")
    own = re.compile(rf"{re.escape(str(ROOT))}(?![\w-])" if len(ROOT.parts) > 2 else r"(?!)")

    assert [place for place, line in all_lines() if homes.search(line) or own.search(line)] == []


def test_no_address_of_a_package_index_is_in_any_file():
    index = re.compile(r"--(?:extra-)?index-url|--find-links|--trusted-host|python" + r"hosted|py" + r"pi\.org|/simple/?\b")
    here = Path(__file__).relative_to(ROOT)
    found = [place for place, line in all_lines() if index.search(line)]

    assert [place for place in found if not place.startswith(str(here))] == []
    assert "://" not in text(Path("requirements.lock"))


def test_every_document_that_is_referred_to_is_there():
    reference = re.compile(r"(?<![\w/.-])[\w./-]*\w\.md\b")
    gone = [
        f"{place} {name}"
        for place, line in all_lines()
        for name in reference.findall(line)
        if 'reference("' not in line  # published test data, which is not in this repository
        and not any((ROOT / folder / name).is_file() for folder in (".", "docs", "docs/adr"))
    ]

    assert gone == []


def test_every_section_that_is_referred_to_is_there():
    reference = re.compile(r'(docs/[a-z-]+\.md), (?:section )?"([^"]+)"')
    gone = []
    for path in files():
        for document, section in reference.findall(re.sub(r"\s*\n[\s#/*-]*", " ", text(path))):
            if not re.search(rf"^#+ {re.escape(section)}$", text(Path(document)), re.MULTILINE):
                gone.append(f"{path}: {document}, {section!r}")

    assert gone == []


def test_every_module_that_a_docstring_names_is_there():
    reference = re.compile(r"`((?:federation|node)(?:\.(?!toml`)\w+)+)`")
    gone = [
        f"{place} {name}"
        for path in files()
        if path.suffix in {".py", ".md", ".sql", ".proto"}
        for place, line in lines(path)
        for name in reference.findall(line)
        if not is_defined(name)
    ]

    assert gone == []


def is_defined(name: str) -> bool:
    """Whether a dotted name is a module or something in one."""
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def test_the_newest_version_in_the_changelog_is_the_version_of_the_program():
    versions = re.findall(r"^## \[?(\d+\.\d+\.\d+)\]?", text(Path("CHANGELOG.md")), re.MULTILINE)

    assert versions[0] == node.__version__


# --- tables that have to be whole -----------------------------------------------------------------------------------------------


def test_every_bound_has_its_reason_and_is_used():
    bounds = [one.target.id for path in LIMITS for one in tree(path).body if isinstance(one, ast.AnnAssign)]
    mentions = Counter(word for path in PRODUCTION for word in re.findall(r"\b[A-Z][A-Z0-9_]+\b", text(path)))

    assert sorted(set(bounds) - set(reasons())) == []
    assert [name for name in bounds if mentions[name] < 2] == []
    assert all(hasattr(limits, name) or hasattr(node_limits, name) for name in bounds)


def reasons() -> dict[str, str]:
    """What stands below each bound."""
    found: dict[str, str] = {}
    for before, after in (pair for path in LIMITS for pair in pairwise(tree(path).body)):
        match before, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(reason))):
                found[name] = reason
    return found


def error_tree(error: type[FederationError] = FederationError) -> Iterator[type[FederationError]]:
    yield error
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from error_tree(child)


def test_every_error_has_a_code_of_its_own_and_says_what_to_do():
    known = list(error_tree())

    assert len({error.code for error in known}) == len(known)
    assert [error.__name__ for error in known if not error.default_hint or not error.__doc__] == []


def test_the_drawn_tree_of_errors_is_the_tree_of_errors():
    drawn: dict[str, str] = {}
    branch: dict[int, str] = {}
    for indent, name in re.findall(r"^    ([│├└─ ]*)(\w+)", errors.__doc__, re.MULTILINE):
        branch[len(indent)] = name
        drawn[name] = branch.get(len(indent) - 4, "Exception")

    assert drawn == {error.__name__: error.__base__.__name__ for error in error_tree()}


def test_every_error_has_a_status_and_every_status_leads_back():
    assert set(rpc_errors._NUMBERS) == set(error_tree())
    assert len({(error.code, number) for error, number in rpc_errors._NUMBERS.items()}) == len(rpc_errors._NUMBERS)


def test_every_exit_code_has_a_meaning():
    assert set(MEANINGS) == set(ExitCode)


# --- the tools, each once ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["ruff check .", "ruff format --check .", "mypy", "lint-imports --no-logo"])
def test_the_tools_have_nothing_to_say(command):
    name, *arguments = command.split()
    ran = subprocess.run(
        [Path(sys.executable).with_name(name), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr

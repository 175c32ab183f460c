"""Imports point one way, as `.importlinter` says, and the package is light to import."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from support import PROJECT, python

CLI = sorted(path.stem for path in (PROJECT / "locum_spider" / "cli").glob("[!_]*.py"))
HEAVY = "scrapy twisted selectolax sqlite_utils fastwarc datasette dateparser msgspec click rich w3lib".split()


def lint(config: Path) -> tuple[int, str]:
    """Exit code and report of import-linter."""
    command = "from importlinter.cli import lint_imports_command as c; c()"
    done = python("-c", command, "--config", config, "--no-cache", cwd=PROJECT)
    return done.returncode, done.stdout + done.stderr


def test_every_contract_is_kept():
    code, report = lint(PROJECT / ".importlinter")
    assert code == 0, report
    assert "0 broken" in report


def test_a_broken_contract_is_noticed(tmp_path):
    config = tmp_path / "importlinter.ini"
    config.write_text("""[importlinter]
root_package = locum_spider
[importlinter:contract:backwards]
name = The store knows no errors
type = forbidden
source_modules = locum_spider.store
forbidden_modules = locum_spider.errors
""")
    code, report = lint(config)
    assert code == 1, report
    assert "1 broken" in report


@pytest.mark.parametrize(("wing", "library"), [("crawl", "Scrapy"), ("store", "SQLite"), ("warc", "WARC"),
                                               ("browse", "Datasette")])  # fmt: skip
def test_a_library_that_one_wing_knows_is_seen_wherever_it_is_imported(tmp_path, wing, library):
    """Without its exception the contract is broken: it covers every module."""
    config = tmp_path / "importlinter.ini"
    text = (PROJECT / ".importlinter").read_text(encoding="utf-8")
    assert f"locum_spider.{wing}.** -> *" in text
    config.write_text(text.replace(f"locum_spider.{wing}.** -> *", ""))
    code, report = lint(config)
    assert code == 1, report
    assert [line for line in report.splitlines() if line.endswith("BROKEN") and library in line], report


def statements(tree: ast.AST) -> list[int]:
    """The lines on which SQL is run."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    methods = {"execute", "executemany", "executescript"}
    return [call.lineno for call in calls if isinstance(call, ast.Attribute) and call.attr in methods]


def test_only_the_store_has_sql():
    package = PROJECT / "locum_spider"
    lines_of = {path: statements(ast.parse(path.read_text(encoding="utf-8"))) for path in package.rglob("*.py")}
    rooms = {path.relative_to(package).parts[0] for path, lines in lines_of.items() if lines}
    assert rooms == {"store"}


def test_every_module_has_a_layer():
    """A module that no layer names would be free to import anything."""
    text = (PROJECT / ".importlinter").read_text(encoding="utf-8")
    layers = text.partition("layers =")[2].partition("[importlinter")[0].replace("|", " ").replace(":", " ").split()
    named = {layer.removeprefix("locum_spider.") for layer in layers}
    package = PROJECT / "locum_spider"
    modules = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert modules - named - {"__init__", "__main__", "demo"} == set()


def loaded(statement: str) -> set[str]:
    """Which of the heavy packages a statement brings in, in an interpreter of its own."""
    code = f"import sys; {statement}; print(' '.join(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    done = python("-I", "-c", code)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split()) & set(HEAVY)


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import locum_spider", ""),
        ("import locum_spider.dates", ""),
        ("from locum_spider import read_date", ""),
        ("from locum_spider import clock, errors, items, text, urls", ""),
        ("import locum_spider.warc.codings, locum_spider.warc.reader", ""),
        ("from locum_spider import read_article", "selectolax msgspec w3lib"),
        ("from locum_spider import Archive", "selectolax msgspec w3lib sqlite_utils"),
        ("import locum_spider.store.search, locum_spider.store.connection", ""),
        *((f"import locum_spider.cli.{name}", "click msgspec selectolax sqlite_utils w3lib") for name in CLI),
    ],
)
def test_imports_bring_in_no_more_than_they_need(statement, allowed):
    assert loaded(statement) - set(allowed.split()) == set()


def test_the_look_at_imports_can_see_one():
    assert loaded("import locum_spider.extract.page.document") >= {"selectolax", "w3lib"}

"""The documentation says what there is, all of it, and its examples run."""

from __future__ import annotations

import inspect
import os
import re
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePath
from typing import NamedTuple

import click
import msgspec
import pytest
from sqlite_utils import Database
from support import LONGEST, PROJECT, invoke

from locum_spider import Archive
from locum_spider.browse.queries import QUERIES
from locum_spider.cli import locum
from locum_spider.errors import ExitCode
from locum_spider.sites import site as declarations
from locum_spider.sites.declaration import load_site
from locum_spider.store.migrations import migrations
from locum_spider.system import manual

PAGES = [PROJECT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")] + sorted(PROJECT.glob("docs/*.md"))
_FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """A fenced block: its language, `run` or `file=NAME`, page and line."""

    page: str
    line: int
    lang: str
    mark: str
    text: str


@cache
def read(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def examples(name: str) -> Iterator[Example]:
    for match in _FENCE.finditer(read(name)):
        line = read(name)[: match.start()].count("\n") + 1
        yield Example(name, line, match[1], match[2] or "", match[3])


def section(name: str, heading: str) -> str:
    """The text below a heading, up to the next of its depth or a higher one."""
    start = re.search(rf"^(#+) {re.escape(heading)}$", read(name), re.MULTILINE)
    assert start, f"{name} has no heading {heading!r}"
    rest = read(name)[start.end() :]
    end = re.search(rf"^#{{1,{len(start[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def in_code(text: str) -> set[str]:
    """Everything between backticks."""
    return set(re.findall(r"`([^`\n]+)`", text))


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def commands() -> dict[str, click.Command]:
    context = click.Context(locum)
    return {name: locum.get_command(context, name) for name in locum.list_commands(context)}


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_is_documented(name):
    assert f"locum {name}`" in section("README.md", "Commands")
    words = in_code(section("docs/commands.md", f"locum {name}"))
    named = {word.split()[0] for word in words if word.startswith("--")}
    options = {flag for param in commands()[name].params for flag in param.opts if flag.startswith("--")}
    assert named >= options, f"docs/commands.md: `locum {name}` has options that are not documented"
    assert named <= options | {"--"}, f"docs/commands.md: `locum {name}` does not have these options"


def test_no_command_is_documented_that_does_not_exist():
    documented = set(re.findall(r"^## locum (\w+)$", read("docs/commands.md"), re.MULTILINE))
    assert documented == set(commands())
    for page in PAGES:
        for name in re.findall(r"`locum (\w+)", page.read_text(encoding="utf-8")):
            assert name in commands(), f"{page.name}: `locum {name}`"


def test_every_exit_code_is_documented():
    codes = {int(code) for code in re.findall(r"^\| (\d) \|", section("README.md", "Exit codes"), re.MULTILINE)}
    assert codes == set(ExitCode)


STRUCTS = {
    declarations.Site: "The site",
    declarations.Addresses: "articles",
    declarations.ListingAddresses: "listings",
    declarations.CrawlPolicy: "crawl",
    declarations.Layout: "Layouts",
    declarations.ArticleRules: "Layouts",
    declarations.ListingRules: "Layouts",
    declarations.Rule: "Rules",
}


def test_every_struct_of_a_declaration_is_looked_at():
    structs = inspect.getmembers(declarations, lambda o: inspect.isclass(o) and issubclass(o, msgspec.Struct))
    assert {struct for _, struct in structs} == set(STRUCTS)


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_key_of_a_declaration_is_documented(struct):
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)$", section("docs/sites.md", STRUCTS[struct]), re.MULTILINE))
    if struct is declarations.ListingRules:
        assert all(f"`{key}`" in rows["listing"] for key in struct.__struct_fields__)
        return
    missing = set(struct.__struct_fields__) - set(rows)
    assert not missing, f"docs/sites.md, {STRUCTS[struct]}: {missing}"


@pytest.mark.parametrize("struct", [declarations.Site, declarations.Addresses, declarations.CrawlPolicy])
def test_defaults_are_told_right(struct):
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]*) \|", section("docs/sites.md", STRUCTS[struct]), re.MULTILINE)
    documented = dict(rows)
    for field in msgspec.structs.fields(struct):
        if field.required:
            assert documented[field.name] == "needed", field.name
        elif isinstance(field.default, int | float):
            assert float(documented[field.name].strip("`")) == field.default, field.name
        elif isinstance(field.default, str):
            assert documented[field.name] == f'`"{field.default}"`', field.name


def test_the_example_declaration_loads():
    blocks = [e for e in examples("docs/sites.md") if e.lang == "toml"]
    assert blocks
    for block in blocks:
        site = load_site(tomllib.loads(block.text), f"{block.page}:{block.line}")
        assert block.mark == f"file=news/sites/{site.name}.toml"
        assert all(host == "example.org" for host in site.hosts)


@pytest.fixture(scope="module")
def schema() -> dict[str, list[str]]:
    """Columns of every table and view of a new archive."""
    database = Database(memory=True)
    migrations.apply(database)
    names = [
        row[0]
        for row in database.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
        if not row[0].startswith(("_", "sqlite_", "articles_fts_"))
    ]
    columns = {name: [row[1] for row in database.execute(f"PRAGMA table_info([{name}])").fetchall()] for name in names}
    database.close()
    return columns


def test_every_column_is_documented(schema):
    homes = {"articles_fts": "article_text"}
    for table, columns in schema.items():
        missing = set(columns) - in_code(section("docs/researchers.md", homes.get(table, table)))
        assert not missing, f"docs/researchers.md, {table}: {missing}"


def test_no_table_is_documented_that_does_not_exist(schema):
    documented = set(re.findall(r"^### (\w+)$", section("docs/researchers.md", "Tables"), re.MULTILINE))
    assert documented | {"articles_fts"} == set(schema)


def test_every_method_of_archive_is_documented():
    public = {name for name, _ in inspect.getmembers(Archive, inspect.isfunction) if not name.startswith("_")}
    documented = set(re.findall(r"(\w+)\(", section("docs/researchers.md", "Python")))
    assert public <= documented


def test_every_canned_query_is_documented():
    for query in QUERIES.values():
        assert f"| {query['title']} |" in read("docs/readers.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_internal_links_resolve(page):
    text = re.sub(_FENCE, "", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.is_file(), f"{page.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", re.sub(_FENCE, "", file.read_text(encoding="utf-8")), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, f"{page.name}: {target}"


@pytest.fixture(scope="module")
def workplace(tmp_path_factory) -> Path:
    """A folder with the demo's archive and the files that the pages tell one to save."""
    folder = tmp_path_factory.mktemp("docs")
    run([sys.executable, "-m", "locum_spider", "demo", "--archive", "demo"], folder)
    for page in PAGES:
        for example in examples(str(page.relative_to(PROJECT))):
            if example.mark.startswith("file="):
                file = folder / example.mark.removeprefix("file=")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(example.text, encoding="utf-8")
    return folder


def run(command: list[str], folder: Path) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False
    )
    assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def marked(lang: str) -> list[object]:
    chosen = [
        e for page in PAGES for e in examples(str(page.relative_to(PROJECT))) if (e.lang, e.mark) == (lang, "run")
    ]
    assert chosen
    return [pytest.param(example, id=f"{example.page}:{example.line}") for example in chosen]


@pytest.mark.parametrize("example", marked("python"))
def test_python_examples_run(example, workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    names: dict[str, object] = {}
    exec(compile(example.text, f"{example.page}:{example.line}", "exec"), names)
    for value in names.values():
        if isinstance(value, sqlite3.Connection):
            value.close()


@pytest.mark.parametrize("example", marked("sql"))
def test_sql_examples_find_something(example, workplace):
    database = sqlite3.connect(f"{(workplace / 'demo' / 'archive.db').as_uri()}?mode=ro", uri=True)
    try:
        assert database.execute(example.text).fetchall()
    finally:
        database.close()


@pytest.mark.parametrize("example", marked("sh"))
def test_shell_examples_run(example, workplace):
    run(["sh", "-e", "-c", example.text], workplace)


def test_errors_name_pages_that_are_there_also_after_an_installation():
    """pip puts the pages where `manual` looks: in the wheel they are files of the data folder."""
    assert manual("sites.md") == PROJECT / "docs" / "sites.md"
    packed = tomllib.loads(read("pyproject.toml"))["tool"]["setuptools"]["data-files"]
    ((folder, patterns),) = packed.items()
    assert PurePath(f"../../../{folder}/sites.md").match("doc/*/sites.md")
    assert {path for pattern in patterns for path in PROJECT.glob(pattern)} >= set(PROJECT.glob("docs/*.md"))
    error = invoke("crawl", "http://nowhere.example/").output
    (named,) = re.findall(r"\S+\.md", error)
    assert Path(named).is_file()


def test_a_declaration_of_the_docs_is_found_in_an_archive(workplace):
    assert "harbour-bell" in run([sys.executable, "-m", "locum_spider", "sites", "--archive", "news"], workplace)

"""Full-text search: an index that follows the texts, what people type, filters and ranking."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from locum_spider.archive import Archive
from locum_spider.errors import DateFilterError, UsageError
from locum_spider.store.search import MARK, UNMARK, Filters, fts_query


def check(db: sqlite3.Connection) -> None:
    """FTS5's own comparison of index and texts; raises if they differ."""
    db.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")


def match(db: sqlite3.Connection, word: str) -> list[int]:
    return [row[0] for row in db.execute("SELECT rowid FROM articles_fts WHERE articles_fts MATCH ?", (word,))]


# -- the index -------------------------------------------------------------------------------------------------------


def test_the_check_notices_an_index_out_of_step(db, save):
    save(text="alpha")
    check(db)
    db.execute("DROP TRIGGER article_text_au")
    db.execute("UPDATE article_text SET body = 'beta'")
    with pytest.raises(sqlite3.DatabaseError):
        check(db)


def test_index_follows_new_changed_and_removed_articles(db, save):
    save(text="alpha")
    save("http://x.example/2", title="Two", text="gamma", standfirst="delta")
    check(db)
    assert (match(db, "alpha"), match(db, "delta"), match(db, "two")) == ([1], [2], [2])
    save(text="beta")
    check(db)
    assert (match(db, "alpha"), match(db, "beta")) == ([], [1])
    save("http://x.example/2", title="Two", text="gamma")  # the standfirst was removed
    check(db)
    assert match(db, "delta") == []
    db.execute("DELETE FROM articles WHERE id = 1")
    check(db)
    assert match(db, "beta") == []
    assert match(db, "gamma") == [2]


def writes_to_the_index(db: sqlite3.Connection, sql: str) -> int:
    """The number of rows that a statement changes besides the one row of the table itself."""
    before = db.execute("SELECT count(*), max(id), sum(length(block)) FROM articles_fts_data").fetchone()
    total = db.total_changes
    db.execute(sql)
    after = db.execute("SELECT count(*), max(id), sum(length(block)) FROM articles_fts_data").fetchone()
    return (db.total_changes - total - 1) + (before != after)


def test_only_changes_of_the_text_are_indexed(db, save):
    save(text="alpha beta")
    assert writes_to_the_index(db, "UPDATE article_text SET body = 'gamma' WHERE id = 1") > 0
    for sql in (
        "UPDATE article_text SET body = body, title = title, standfirst = standfirst WHERE id = 1",
        "UPDATE article_text SET body = 'gamma' WHERE id = 1",
        "UPDATE articles SET last_seen = 'x', state = 'gone', section = 'y' WHERE id = 1",
    ):
        assert writes_to_the_index(db, sql) == 0, sql
    check(db)


def test_index_is_made_as_design_says(db):
    (sql,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'articles_fts'").fetchone()
    assert 'content="article_text"' in sql
    assert "porter unicode61" in sql
    assert "detail=column" not in sql
    assert "prefix" not in sql


# -- what people type ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("", ""),
        ("   ", ""),
        ("pay", '"pay"'),
        ("pay caps", '"pay" "caps"'),
        ('"pay caps"', '"pay caps"'),
        ("loc*", '"loc"*'),
        ('"pay ca"*', '"pay ca"*'),
        ("pay -caps", '"pay" NOT "caps"'),
        ('pay -"rate caps"', '"pay" NOT "rate caps"'),
        ("pay OR fees", '"pay" OR "fees"'),
        ("OR pay OR OR fees OR", '"pay" OR "fees"'),
        ("pay OR fees -caps", '("pay" OR "fees") NOT "caps"'),
        ("-caps", ""),
        ("*", ""),
        ('"', ""),
        ("- * ( )", ""),
        ('""', ""),
        ("title:pay", '"title:pay"'),
        ("pay AND caps", '"pay" "AND" "caps"'),
        ("NEAR(pay caps)", '"NEAR(pay" "caps)"'),
        ("^pay", '"^pay"'),
        ('un"balanced', '"un balanced"'),
        ("pay\0caps", '"pay" "caps"'),
    ],
)
def test_query_of_what_was_typed(typed, query):
    assert fts_query(typed) == query


@pytest.fixture(scope="module")
def index():
    db = sqlite3.connect(":memory:")
    db.execute('CREATE VIRTUAL TABLE t USING fts5(title, body, tokenize="porter unicode61")')
    db.execute("INSERT INTO t VALUES ('pay caps', 'it''s the agency workers'' pay')")
    yield db
    db.close()


TYPED = st.lists(
    st.one_of(
        st.sampled_from('" \' - * ( ) : ^ + { } [ ] , . OR AND NOT NEAR NEAR(a,b) a "a b" -"a" a* "a"* -- \0'.split()),
        st.text(max_size=6),
    ),
    max_size=8,
).flatmap(lambda parts: st.sampled_from(["", " ", "  "]).map(lambda glue: glue.join(parts)))


@given(TYPED)
@example('"')
@example('a "')
@example("\ud800")
@example("caf\udce9")  # what Python makes of a byte from the shell that is not UTF-8
@example("a\u0000b")
@example('OR "" OR a')
@example("_ OR a")
@example("a OR _")
@example("a OR -b")
@example("\u0660")
@example("́")
def test_nothing_that_is_typed_is_a_fault(index, typed):
    query = fts_query(typed)
    if query:
        try:
            index.execute("SELECT count(*) FROM t WHERE t MATCH ?", (query,)).fetchone()
        except UnicodeEncodeError:
            pytest.fail("a surrogate reached SQLite")


@pytest.mark.parametrize("name", ["query", "site", "section", "author", "tag"])
def test_bytes_that_are_no_text_are_no_fault(archive, name):
    assert archive.search(**{"query": "pay", name: "caf\udce9"}) == []


@given(st.lists(st.sampled_from(["agency", "workers", "pay", "caps"]), min_size=1, max_size=3))
def test_words_that_stand_in_the_text_are_found(index, words):
    assert index.execute("SELECT count(*) FROM t WHERE t MATCH ?", (fts_query(" ".join(words)),)).fetchone()[0] == 1


# -- searching -------------------------------------------------------------------------------------------------------


@pytest.fixture
def archive(save, tmp_path):
    x = "http://x.example/"
    save(x + "1", "Pay", "Nothing else here about it.", section="News", authors=("A. Writer",), published="2016-05-02")
    save(x + "2", "Caps", "One line on pay among many others on other things.", section="news", tags=("Money", "tax"),
         published="2016-05", site="y")  # fmt: skip
    save(x + "3", "Tax", "Umbrella companies and the tax office’s view.", section="Advice", published="2017-01-31")
    save(x + "4", "Undated", "Pay again, and agency workers’ holidays.", standfirst="On pay")
    with Archive(tmp_path) as found:
        yield found


def ids(archive: Archive, query: str, **filters: str) -> set[int]:
    hits = archive.search(query, **filters)
    assert archive.count(query, Filters(**filters)) == len(hits)
    return {hit.id for hit in hits}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("pay", {1, 2, 4}),
        ("PAY", {1, 2, 4}),
        ("paying", {1, 2, 4}),
        ("pay -agency", {1, 2}),
        ("pay -else -again", {2}),
        ("umbrella OR holiday", {3, 4}),
        ("umbrella holiday", set()),
        ('"tax office"', {3}),
        ('"office tax"', set()),
        ("umb*", {3}),
        ("umb", set()),
        ("office's", {3}),
        ("nowhere", set()),
        ("", set()),
        ("-pay", set()),
        ("title:pay", set()),
    ],
)
def test_search_finds(archive, query, found):
    assert ids(archive, query) == found


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"site": "y"}, {2}),
        ({"site": "z"}, set()),
        ({"section": "News"}, {1, 2}),
        ({"author": "a. writer"}, {1}),
        ({"author": "A."}, set()),
        ({"tag": "money"}, {2}),
        ({"since": "2016"}, {1, 2}),
        ({"since": "2016-05"}, {1, 2}),
        ({"since": "2016-05-02"}, {1}),
        ({"since": "2016-05-03"}, set()),
        ({"until": "2016"}, {1, 2}),
        ({"until": "2016-05"}, {1, 2}),
        ({"until": "2016-05-02"}, {1, 2}),
        ({"until": "2016-05-01"}, {2}),
        ({"until": "2015-12-31"}, set()),
        ({"since": "2016-05", "until": "2016-05", "section": "news", "site": "x"}, {1}),
    ],
    ids=str,
)
def test_filters_narrow(archive, filters, found):
    """A month (2016-05) counts as its first day: `since 2016-05` finds it, `since 2016-05-02` does not."""
    assert ids(archive, "pay", **filters) == found
    listed = {article.id for article in archive.articles(**filters)}
    assert {number for number in listed if number != 3} == found


@pytest.mark.parametrize("value", ["yesterday", "2016-13", "2016-05-32", "16", "2016/05", "", "2016-05-02T1", "2016-5"])
@pytest.mark.parametrize("name", ["since", "until"])
def test_filter_that_is_no_date_is_refused(archive, name, value):
    with pytest.raises(DateFilterError, match=name) as caught:
        archive.search("pay", **{name: value})
    assert (caught.value.name, caught.value.value) == (name, value)
    assert DateFilterError(name, "x").called("--from") == "--from 'x' is not a date; write 2018-04-10, 2018-04 or 2018"
    with pytest.raises(UsageError):
        list(archive.articles(**{name: value}))


def test_word_in_the_title_ranks_before_one_in_the_body(archive):
    hits = archive.search("pay")
    assert hits[0].id == 1
    assert hits[-1].id == 2
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_snippet_marks_what_was_found(archive):
    (hit,) = archive.search("umbrella")
    assert f"{MARK}Umbrella{UNMARK} companies" in hit.snippet


def test_pages_of_hits_do_not_overlap(archive):
    first, second = archive.search("pay", limit=2), archive.search("pay", limit=2, offset=2)
    assert len(first) == 2
    assert len(second) == 1
    assert {hit.id for hit in first + second} == {1, 2, 4}

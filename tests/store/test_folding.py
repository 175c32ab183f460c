"""Words of every script are found, in time that grows with the text, and shown as they were printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.work import calls

from locum_spider.archive import Archive
from locum_spider.store import checks, takedowns
from locum_spider.store.excerpts import MARK, UNMARK, excerpts
from locum_spider.store.folding import folded, folded_with_places, needs_folding

TEXTS = {
    "港口起重机移动": "星期二起重机被吊起，放在旧海关旁边。",
    "港のクレーンが移動": "火曜日に\uff78\uff9a\uff70\uff9dが持ち上げられ、東京都の税関の横に置かれました。",
    "항구 크레인 이동": "크레인은 옛 세관에서 옮겨졌다.",
    "ย้ายปั้นจั่นท่าเรือ": "ปั้นจั่นถูกยกขึ้นเมื่อวันอังคารและวางข้างศุลกากรเก่า",
    "Donau\u00addampf\u00adschiff": "Die Straße nach Łódź und Øresund, mit Ægir und Œuvre.",
    "می\u200cخواهم کتاب\u200cها": "نامه\u200cهای قدیمی",
    "Ещё один ёж": "Всё о кране.",
    "Η Αθήνα": "Οδός Ερμού",
    "Việt Nam": "Tiếng Việt ở Đà Nẵng",
    "مُحَمَّد": "إلى المدينة",
    "Ｗｉｄｅ ｌｅｔｔｅｒｓ": "e\u0301te\u0301 and ﬁne",
    "Plain": "The crane of Lodz on a strasse, and a cafe.",
}


@pytest.fixture
def archive(save, tmp_path):
    for number, (title, text) in enumerate(TEXTS.items(), 1):
        save(f"http://x.example/{number}", title, text)
    with Archive(tmp_path) as found:
        yield found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("海关", [1]), ("起重机", [1]), ("关海", []), ("海", [1]), ("東京", [2]), ("クレーン", [2]), ("ｸﾚｰﾝ", [2]),
        ("税関", [2]), ("세관", [3]), ("크레인", [3]), ("ศุลกากร", [4]), ("ปั้นจั่น", [4]), ("ปันจัน", []),
        ("strasse", [5, 12]), ("Straße", [5, 12]), ("lodz", [5, 12]), ("łódź", [5, 12]), ("oresund", [5]),
        ("aegir oeuvre", [5]), ("donaudampfschiff", [5]), ("Donau\u00addampfschiff", [5]), ('"nach lodz"', [5]),
        ("می\u200cخواهم", [6]), ("میخواهم", [6]), ("كتابها", [6]), ("еще", [7]), ("ещё", [7]), ("еж", [7]),
        ("αθηνα", [8]), ("ΟΔΟΣ", [8]), ("viet", [9]), ("da nang", [9]), ("محمد", [10]),
        ("الى", [10]), ("wide", [11]), ("été", [11]),
        ("fine", [11]), ("café", [12]), ("strass*", [5, 12]), ("海*", [1]),
        ("crane -strasse", []), ("海关 OR 東京", [1, 2]),
        ("起重机 -海关", []),
    ],
)  # fmt: skip
def test_words_are_found_in_every_script(archive, query, found):
    hits = archive.search(query)
    assert sorted(hit.id for hit in hits) == found
    assert archive.count(query) == len(found)
    assert all(MARK in hit.snippet for hit in hits)


def test_what_is_found_is_shown_as_it_was_printed(archive):
    def shown(query):
        return archive.search(query)[0].snippet.replace(MARK, "[").replace(UNMARK, "]")

    assert shown("海关") == "星期二起重机被吊起，放在旧[海关]旁边。"
    assert shown("oresund") == "Die Straße nach Łódź und [Øresund], mit Ægir und Œuvre."
    assert shown("donaudampfschiff") == "[Donau\u00addampf\u00adschiff]"
    assert "[\uff78\uff9a\uff70\uff9dが持ち]" in shown('"クレーンが持ち"')


def test_only_texts_that_need_it_are_in_the_index_beside(archive, db):
    rows = [row[0] for row in db.execute("SELECT id FROM articles_fts_folded ORDER BY id")]
    assert rows == list(range(1, len(TEXTS)))
    assert not needs_folding("Plain, with a café", None)


def test_the_index_beside_follows_changes_and_removals(archive, db, save, tmp_path):
    save("http://x.example/1", "起重机", "新的文字")
    assert archive.search("海关") == []
    assert [hit.id for hit in archive.search("新的")] == [1]
    save("http://x.example/1", "Crane", "plain words now")
    assert archive.search("起重机") == []
    assert [hit.id for hit in archive.search("plain words")] == [1]
    db.execute("UPDATE article_text SET body = 'Ganz anders' WHERE id = 5")
    assert [hit.id for hit in archive.search("anders")] == [5]
    assert archive.search("strasse")[0].id == 12
    db.execute("DELETE FROM articles WHERE id = 2")
    assert archive.search("東京") == []
    db.execute("INSERT INTO articles_fts_folded_index(articles_fts_folded_index, rank) VALUES ('integrity-check', 1)")


def test_verify_compares_the_index_beside(archive, db, tmp_path):
    assert checks.full_text(tmp_path) == ([], None)
    db.execute("DELETE FROM articles_fts_folded WHERE id = 1")
    (finding,), _ = checks.full_text(tmp_path)
    assert "the text of article 1 is not in it as it should be" in finding.text
    db.execute("INSERT INTO articles_fts_folded VALUES (1, 'x', NULL, 'y')")
    (finding,), _ = checks.full_text(tmp_path)
    assert "differs from the texts" in finding.text


def test_a_takedown_leaves_no_word_in_any_index(archive, db, tmp_path):
    db.execute("DELETE FROM articles WHERE id = 1")
    assert takedowns.scrub(db) is True
    data = (tmp_path / "archive.db").read_bytes()
    assert "海".encode() not in data


@given(st.text())
def test_places_lead_back_to_the_text(text):
    whole, places = folded_with_places(text)
    assert whole == folded(text)
    assert len(places) == len(whole) + 1
    assert list(places) == sorted(places)


def test_an_excerpt_takes_time_that_grows_with_the_text_only():
    def work(size):
        texts = {1: ("Title", None, " ".join(["alpha beta"] * size))}
        return calls(lambda: excerpts(texts, " ".join(['"a"* "b"*'] * 3)))

    assert work(4_000) < 2.5 * work(2_000)


def test_the_excerpt_shows_where_most_words_are():
    body = "one " + "x " * 50 + "two y z one " + "x " * 50
    shown = excerpts({1: ("Title", None, body)}, '"one" "two"')[1]
    assert f"{MARK}two{UNMARK} y z {MARK}one{UNMARK}" in shown
    assert shown[0] == shown[-1] == "…"
    assert excerpts({1: ("Title", None, "nothing here")}, '"one"') == {1: "nothing here"}

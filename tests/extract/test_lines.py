"""Visible text as lines: blocks, breaks, lists, hidden parts, pictures, links, whatever the markup."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser
from support.work import calls

from locum_spider.extract.declared.body import join_blocks
from locum_spider.extract.page.document import Document
from locum_spider.extract.page.element import shown_text
from locum_spider.extract.page.lines import LineReader
from locum_spider.text import fold

URL = "http://news.example/a/page"


def document(html: str) -> Document:
    return Document(f"<!DOCTYPE html><body>{html}".encode(), URL, "text/html; charset=utf-8")


def texts(html: str) -> list[str]:
    return [line.text for line in document(html).lines]


def plain(html: str) -> str:
    return join_blocks(document(html).lines)


# -- blocks and breaks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "html",
    [
        "<p>One</p><p>Two</p>",
        "<div>One</div><div>Two</div>",
        "<p>One<p>Two",
        "<table><tr><td>One</td></tr><tr><td>Two</td></tr></table>",
        "<table><tr><td><font size=2>One</font><td><font size=2>Two</font></table>",
        "One<br><br>Two",
        "One<br/>\n&nbsp;<br/>Two",
        "<font>One</font><br><font><br>Two</font>",
        "One<hr>Two",
        "<center>One</center>Two",
        "<section><span>One</span></section><article><b>Two</b></article>",
        "One<div></div>Two",
        "<dl><dt>One<dd>Two</dl>",
        "One<blockquote>Two</blockquote>",
    ],
)
def test_two_paragraphs_are_two_blocks_in_any_markup(html):
    assert plain(html) == "One\n\nTwo"


@pytest.mark.parametrize("html", ["<p>One<br>Two</p>", "One<br>Two", "<td>One<br />\n Two", "<p>One<br><b></b>Two"])
def test_one_break_is_a_new_line_of_the_same_block(html):
    first, second = document(html).lines
    assert (first.text, second.text) == ("One", "Two")
    assert first.block == second.block
    assert plain(html) == "One\nTwo"


@pytest.mark.parametrize("markup", ["One <i>and</i> Two", "One<span> and </span>Two", "One\n<a href=/x>and</a>\tTwo"])
def test_inline_elements_end_no_line(markup):
    assert texts(f"<p>{markup}</p>") == ["One and Two"]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<span>C</span>rane", "Crane"),
        ("<span>C</span><span>rane</span>", "Crane"),
        ("<i>Argo</i>, sunk", "Argo, sunk"),
        ("CO<sub>2</sub> tax", "CO2 tax"),
        ("<b>H</b><sub>2</sub><b>O</b>", "H2O"),
        ("£<b>5</b>m", "£5m"),
        ("Donau<wbr>dampf", "Donaudampf"),
        ("<span>Port</span><span>Crane moved</span>", "Port Crane moved"),
        ("<span>12</span><span>May</span><span>2024</span>", "12 May 2024"),
        ('<span style="display: block">port</span>crane', "port crane"),
        ("Crane<br>moved", "Crane moved"),
        ("<div>Crane</div>moved", "Crane moved"),
        ("<script>1</script>Crane<i hidden>x</i>", "Crane"),
        ("- Crane", "- Crane"),
        ("3.", "3."),
    ],
)
def test_text_of_an_element_is_what_a_browser_shows(html, text):
    assert shown_text(document(f"<h1>{html}</h1>").tree.css_first("h1")) == text


def test_text_of_an_element_that_is_hidden_or_empty_is_its_own():
    page = document("<h1 hidden>Crane</h1><p></p><p>Next</p>")
    assert [shown_text(page.tree.css_first(name)) for name in ("h1", "p")] == ["Crane", ""]


def test_joiners_of_letters_stay():
    assert texts("<p>\u200c</p><p>می\u200cخواهم</p><p>👨\u200d👩 cus\u00adtoms</p>") == [
        "می\u200cخواهم",
        "👨\u200d👩 customs",
    ]


def test_white_space_of_every_kind_is_one_blank_and_soft_hyphens_go():
    assert texts("<p> A\u00a0 b\r\n\tc\u2003d <span> </span> e\u00ad f\u200bg</p>") == ["A b c d e fg"]


def test_element_with_nothing_to_see_makes_no_line():
    assert texts("<p>&nbsp;</p><p></p><div><span> </span></div><p>One</p><p>\u200b</p>") == ["One"]


@pytest.mark.parametrize("tag", ["h1", "h2", "h3", "h4", "h5", "h6"])
def test_headings_know_that_they_are_some(tag):
    heading, paragraph = document(f"<{tag}>Pay <em>rates</em></{tag}><p>Text</p>").lines
    assert (heading.text, heading.tag, heading.heading, heading.strong) == ("Pay rates", tag, True, True)
    assert (paragraph.tag, paragraph.heading, paragraph.strong) == ("p", False, False)


@pytest.mark.parametrize("html", ["<hr>One", "<header>One</header>", "<html5>One</html5>"])
def test_other_tags_that_begin_with_h_are_no_headings(html):
    assert not any(line.heading for line in document(html).lines)


@pytest.mark.parametrize(
    "markup",
    ["<b>Pay</b>", "<strong>Pay</strong>", '<font size="5">Pay</font>', "<b><font>Pay</font></b>", "<b>Pay</b> "],
)
def test_bold_line_is_strong_and_no_part_of_the_paragraph_below(markup):
    bold, paragraph = document(f"<td>{markup}<br>Text of the paragraph</td>").lines
    assert bold.strong
    assert not paragraph.strong
    assert bold.block != paragraph.block


def test_bold_word_makes_no_strong_line():
    (line,) = document("<p><b>Rates</b> were cut in the spring of that year</p>").lines
    assert not line.strong


# -- lists ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<ul><li>a</li><li>b</li></ul>", "• a\n\n• b"),
        ("<ul><li>a<li>b</ul>", "• a\n\n• b"),
        ("<ol><li>a</li><li>b</li></ol>", "1. a\n\n2. b"),
        ("<ol><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ol>", "1. a\n\n• b\n\n• c\n\n2. d"),
        ("<ul><li>a<ol><li>b</li></ol></li></ul><ol><li>c</li></ol>", "• a\n\n1. b\n\n1. c"),
        ("<ul><li><p>a</p><p>more of a</p></li><li>b</li></ul>", "• a\n\nmore of a\n\n• b"),
        ("<ul><li>a<br>more of a</li></ul>", "• a\nmore of a"),
        ("<li>a</li>", "• a"),
        ("<ul><li></li><li>b</li></ul>", "• b"),
        ("<p>Before</p><ul><li>a</li></ul><p>After</p>", "Before\n\n• a\n\nAfter"),
        ("Before<ul><li>a</li></ul>After", "Before\n\n• a\n\nAfter"),
        ("<ul><li>a<ul><li>b</li></ul>behind</li></ul>", "• a\n\n• b\n\nbehind"),
    ],
)
def test_lists_of_the_markup(html, expected):
    assert plain(html) == expected


@pytest.mark.parametrize("mark", ["•", "·", "‣", "◦", "▪", "●", "■", "*", "–", "-", "&bull;", "&middot;"])
def test_bullets_that_are_typed(mark):
    assert plain(f"<td>The plan:<br>{mark} a fund<br>{mark} a centre<br>Then more</td>") == (
        "The plan:\n\n• a fund\n\n• a centre\n\nThen more"
    )


@pytest.mark.parametrize("dash", ["—", "–", "-", "―"])
@pytest.mark.parametrize(
    "said", ["Que voyez-vous ?", "Un bateau.", "Привет!", "¿Qué pasa?", "oui, dit-il…", "Ja «nei»"]
)
def test_dash_that_opens_direct_speech_stays(dash, said):
    assert plain(f"<p>{dash} {said}</p><p>{dash} {said}</p>") == f"{dash} {said}\n\n{dash} {said}"


@pytest.mark.parametrize("mark", ["•", "·", "§"])
def test_bullet_in_a_cell_of_its_own(mark):
    html = f"<table><tr><td>{mark}</td><td>a fund</td></tr><tr><td>{mark}</td><td>a centre</td></tr></table>"
    assert plain(html) == "• a fund\n\n• a centre"


def test_number_in_a_cell_of_its_own():
    html = "<table><tr><td>1.</td><td>a fund</td></tr><tr><td>2)</td><td>a centre</td></tr></table>"
    assert plain(html) == "1. a fund\n\n2. a centre"


@pytest.mark.parametrize("text", ["-5 per cent", "*", "–", "2018", "-", "*starred*", "-only"])
def test_what_only_looks_like_a_bullet_keeps_its_text(text):
    assert fold(text).replace("*", "") in " ".join([plain(f"<p>{text}</p><p>Next</p>")]).replace("*", "")


def test_bullets_of_the_markup_are_not_typed_ones_too():
    assert plain("<ul><li>• a</li></ul>").count("•") <= 2
    assert plain("<ul><li>a - b</li></ul>") == "• a - b"


# -- what is not shown ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>x</script>",
        "<style>p {}</style>",
        "<template><p>x</p></template>",
        "<noscript>x</noscript>",
        "<!-- x -->",
        "<p hidden>x</p>",
        '<p hidden="">x</p>',
        '<div style="display:none">x<p>y</p></div>',
        '<span style="color:red; DISPLAY : None">x</span>',
        '<p style="visibility:hidden">x</p>',
        "<svg><text>x</text></svg>",
        "<textarea>x</textarea>",
        "<select><option>x</select>",
        "<iframe>x</iframe>",
        "<object>x</object>",
        "<math><mi>x</mi></math>",
        '<input value="x">',
    ],
)
def test_hidden_parts_are_left_out(hidden):
    assert texts(f"<p>One</p>{hidden}<p>Two</p>") == ["One", "Two"]


@pytest.mark.parametrize("style", ["display:block", "", "color:red", "background:none"])
def test_other_styles_hide_nothing(style):
    assert texts(f'<p style="{style}">One</p>') == ["One"]


# -- pictures ------------------------------------------------------------------------------------------------------


def test_picture_is_a_line_with_its_address_and_alternative_text():
    before, picture, after = document('<p>One</p><img src="../i/team.gif" alt="A  team"><p>Two</p>').lines
    assert (picture.image, picture.text, picture.tag) == ("http://news.example/i/team.gif", "A team", "img")
    assert len({before.block, picture.block, after.block}) == 3


def test_picture_in_a_sentence_takes_no_word_of_it():
    assert [line.text for line in document('<p>One <img src="/i.gif" alt=""> two</p>').lines if not line.image] == [
        "One",
        "two",
    ]


@pytest.mark.parametrize(
    "attributes",
    [
        'src="/t.gif" width="1" height="1"',
        'src="/t.gif" width=1',
        'src="data:image/gif;base64,R0lGOD"',
        'src=""',
        'alt="nothing"',
        'src="javascript:x()"',
    ],
)
def test_tracking_pixels_and_placeholders_are_no_pictures(attributes):
    assert document(f"<p>One</p><img {attributes}>").lines[1:] == []


@pytest.mark.parametrize("name", ["data-src", "data-original"])
def test_picture_that_a_script_would_load(name):
    (line,) = document(f'<img src="data:image/gif;base64,R0lGOD" {name}="/team.jpg" alt="A team">').lines
    assert line.image == "http://news.example/team.jpg"


@pytest.mark.parametrize(
    "html",
    [
        '<figure><img src="/t.gif"><figcaption>Words below</figcaption></figure>',
        '<div><img src="/t.gif"></div><div class="img-caption">Words below</div>',
        '<img src="/t.gif"><p class="Photo-Credit">Words below</p>',
        '<img src="/t.gif"><div class="caption"><p><i>Words below</i></p></div>',
    ],
)
def test_captions_that_say_so(html):
    lines = document(html + "<p>Body</p>").lines
    assert [line.text for line in lines if line.caption and line.image is None] == ["Words below"]


# -- links ---------------------------------------------------------------------------------------------------------


def test_line_that_is_one_link_has_its_address():
    (line,) = document('<p> <a href="x.php?s=1#c">Read <b>more</b></a> </p>').lines
    assert (line.url, line.links) == ("http://news.example/a/x.php?s=1#c", 1)


@pytest.mark.parametrize("html", ['<p>See <a href="/x">this</a></p>', '<p><a href="/x">a</a> <a href="/y">b</a></p>'])
def test_line_with_more_than_a_link_has_no_address(html):
    (line,) = document(html).lines
    assert line.url is None
    assert line.links == html.count("href")


@pytest.mark.parametrize("href", ["#top", "javascript:void(0)", "mailto:desk@news.example", "tel:1", "", "http://[x"])
def test_link_that_leads_to_no_page_is_none(href):
    page = document(f'<p><a href="{href}">Words</a></p>')
    assert page.links == []
    assert [(line.text, line.url) for line in page.lines] == [("Words", None)]


def test_links_hold_text_place_and_relation():
    page = document('<p>Zero</p><p><a href="/x" rel="next">One\n two</a></p><a href="/y"><img src="/i" alt="Alt"></a>')
    first, second = page.links
    assert (first.url, first.text, first.line, first.rel) == ("http://news.example/x", "One two", 1, "next")
    assert (second.text, second.line) == ("Alt", 2)
    assert page.lines[2].url == "http://news.example/y"


@pytest.mark.parametrize(
    "card",
    [
        "<h3>Headline</h3><p>Published on 1 May 2016</p><p>Words</p>",
        "<p>Published on 1 May 2016</p><h2>Headline</h2><p>Words</p>",
        '<img src="/i.gif" alt="A team"><div>Headline</div><div>Words</div>',
    ],
)
def test_card_in_a_link_is_named_by_its_headline(card):
    (link,) = document(f'<a href="/x">{card}</a>').links
    assert link.text == "Headline"


def test_anchor_without_an_address_is_text():
    page = document('<p><a name="top">One</a></p>')
    assert (page.links, [line.text for line in page.lines]) == ([], ["One"])


def test_anchor_that_is_never_closed_ends_with_its_block():
    page = document('<p><a href="/x">One</p><p>Two</p>')
    assert [line.text for line in page.lines] == ["One", "Two"]
    assert page.links[0].text == "One"


# -- containers ----------------------------------------------------------------------------------------------------


def test_containers_hold_what_stands_in_them():
    page = document("<div><p>One</p><p>Two</p></div><p>Three</p>")
    one, two, three = page.lines
    around = page.parent(one.box)
    assert page.parent(two.box) == around
    assert page.within(one.box, around)
    assert not page.within(three.box, around)
    assert not page.within(around, one.box)


def test_boxes_are_numbered_parent_first():
    reader = LineReader(lambda href: href)
    reader.read(LexborHTMLParser("<div><ul><li>a<li>b</ul></div><table><tr><td>c</table>").body)
    assert all(parent < number for number, parent in enumerate(reader.boxes) if number)


# -- anything ------------------------------------------------------------------------------------------------------


SKIPPED = set(
    "script style template noscript head svg math iframe object select textarea input canvas video audio map "
    "datalist".split()
)
MARKS = re.compile(r"[\s•·‣◦▪●■§*–—\-\u00ad\u200b\u200c\u200d\u2060\ufeff\d.)]")

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="<&\0", exclude_categories=("Cc", "Cs")), max_size=12)
NAMES = st.sampled_from(
    "p div td tr table ul ol li b strong a span font h1 h3 figure figcaption br img i dl dt dd blockquote article "
    "section center pre em script style select option button label form nav noscript hr".split()
)
ATTRIBUTES = st.sampled_from(
    ["", ' href="/x"', ' href="#"', ' class="caption"', ' size="5"', ' src="/i.gif"', " href", ' style="color:red"']
)
PIECES = st.one_of(
    WORDS,
    st.builds("<{}{}>".format, NAMES, ATTRIBUTES),
    st.builds("</{}>".format, NAMES),
    st.sampled_from(["<br>", "<br><br>", "• ", "- ", "<li>", "</ul>", "<!-- x -->", "&nbsp;", "<p>", "1. ", "<td>"]),
)


def visible(node) -> str:
    """All text outside skipped elements, by a simple walk."""
    out, todo = [], [node]
    while todo:
        node = todo.pop()
        if node.tag == "-text":
            out.append(node.text_content or "")
        elif node.tag is not None and not node.tag.startswith("-") and node.tag not in SKIPPED:
            todo += reversed(list(node.iter(include_text=True)))
    return "".join(out)


def letters(text: str) -> str:
    """Text without white space and without all that is, or looks like, the mark of an item."""
    return MARKS.sub("", text)


@given(st.lists(PIECES, max_size=30))
def test_no_markup_is_too_wild_and_no_visible_word_is_lost(pieces):
    page = Document(f"<body>{''.join(pieces)}".encode(), URL, "text/html; charset=utf-8")
    shown = "".join((line.item or "") + line.text for line in page.lines if line.image is None)
    assert letters(shown) == letters(visible(page.tree.body))
    assert all(line.text == fold(line.text) for line in page.lines)
    assert all(line.text for line in page.lines if line.image is None)
    assert all(0 <= link.line <= len(page.lines) for link in page.links)
    assert [line.block for line in page.lines] == sorted(line.block for line in page.lines)


@given(st.binary(max_size=400))
def test_any_bytes_are_read(body):
    Document(body, URL)


@given(st.text(max_size=200), st.sampled_from(["p", "td", "li", "div", "b"]))
def test_any_text_in_an_element_is_read(text, tag):
    Document(f"<{tag}>{text}".encode("utf-8", "replace"), URL)


# -- depth ---------------------------------------------------------------------------------------------------------


def test_deep_page_is_read_without_recursion():
    assert texts("<div>" * 2_000 + "One" + "</div>" * 2_000 + "<p>Two</p>") == ["One", "Two"]


def test_reading_a_wide_page_is_work_in_proportion_to_it():
    html = "<p>One <a href='/x'>two</a><br>three</p>" * 1_000
    assert len(texts(html * 20)) == 40_000
    assert calls(lambda: texts(html * 4)) < 6 * calls(lambda: texts(html))

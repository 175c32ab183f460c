"""Names of authors, as pages and metadata write them: the declared and the general reader share one way."""

from __future__ import annotations

import pytest

from locum_spider.extract.names import split_names

JO, ANN = "Jo Smith", "Ann Lee"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        # separators
        ("Jo Smith, Tom Kay and Ann Lee", [JO, "Tom Kay", ANN]),
        ("Jo Smith, Tom Kay, and Ann Lee", [JO, "Tom Kay", ANN]),
        ("Jo Smith; Tom Kay; and Ann Lee", [JO, "Tom Kay", ANN]),
        ("Jo Smith , Ann Lee", [JO, ANN]),
        ("Jo Smith & Ann Lee", [JO, ANN]),
        ("Jo Smith\nAnn Lee", [JO, ANN]),
        ("Jo Smith | Ann Lee", [JO, ANN]),
        ("JO SMITH AND ANN LEE", ["JO SMITH", "ANN LEE"]),
        ("Jo Smith And Ann Lee", [JO, ANN]),
        ("Madonna and Sting", ["Madonna", "Sting"]),
        ("José Pérez y Ana López", ["José Pérez", "Ana López"]),
        # "By"
        ("By Jo Smith and Ann Lee", [JO, ANN]),
        ("BY JO SMITH", ["JO SMITH"]),
        ("Words by Jo Smith", [JO]),
        ("Von Jo Smith", [JO]),
        ("By Madonna", ["Madonna"]),
        # roles
        ("Jo Smith, Political Editor, and Ann Lee", [JO, ANN]),
        ("Jo Smith, Chief Reporter and Ann Lee", [JO, ANN]),
        ("Jo Smith, staff writer", [JO]),
        ("Jo Smith, Staff Writer; Ann Lee, Senior Fellow", [JO, ANN]),
        ("Jo Smith, BBC News Correspondent", [JO]),
        ("Jo Smith, Redakteurin", [JO]),
        # names that begin like a role, or are one
        ("By Jo Smith and Tom Stafford", [JO, "Tom Stafford"]),
        ("Jo Smith, Julian Fellowes", [JO, "Julian Fellowes"]),
        ("Jo Smith, Tom Fellows", [JO, "Tom Fellows"]),
        ("Jo Smith and Bob Deskins", [JO, "Bob Deskins"]),
        ("Jo Smith and Tom Writer", [JO, "Tom Writer"]),
        ("Ann Other\nB. Writer", ["Ann Other", "B. Writer"]),
        ("Jo Smith, Max Internicola", [JO, "Max Internicola"]),
        ("Jo Smith, Chiefan Bureaux", [JO, "Chiefan Bureaux"]),
        ("Jo Smith, Anna Redaktsky and Lea Fotografini", [JO, "Anna Redaktsky", "Lea Fotografini"]),
        # names that begin like a preposition
        ("Von Miller", ["Von Miller"]),
        ("By Von Miller and Di Rossi", ["Von Miller", "Di Rossi"]),
        ("Di Stefano", ["Di Stefano"]),
        ("Van Jones, Af Klint", ["Van Jones", "Af Klint"]),
        # one name
        ("José Ortega y Gasset", ["José Ortega y Gasset"]),
        ("Marks & Spencer", ["Marks & Spencer"]),
        ("Jo Smith, Jr.", ["Jo Smith, Jr."]),
        ("Jo Smith, Ph.D., and Ann Lee, MD", ["Jo Smith, Ph.D.", "Ann Lee, MD"]),
        ("Department of Health and Social Care", ["Department of Health and Social Care"]),
        ("Department for Energy, Climate and Trade", ["Department for Energy, Climate and Trade"]),
        ("Mary Dan Brown Smith", ["Mary Dan Brown Smith"]),
        # last name first
        ("Smith, Jo", [JO]),
        ("Smith, Jo; Lee, Ann", [JO, ANN]),
        ("Smith, Jo and Lee, Ann", [JO, ANN]),
        ("Reuters, AP", ["Reuters", "AP"]),
        ("Samya Kullab, AP", ["Samya Kullab", "AP"]),
        # dates and addresses
        ("By Jo Smith May 12, 2024, 9:05 a.m.", [JO]),
        ("Jo Smith 12 May 2024", [JO]),
        ("Theresa May 12 June 2024", ["Theresa May"]),
        ("Jo Smith, 12.05.2024, 10:30", [JO]),
        ("Jo Smith (jo@paper.example) @jo", [JO]),
        ("https://paper.example/jo", []),
        ("admin", []),
    ],
)
def test_names(text, names):
    assert split_names(text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Smith, Jo", [JO]),
        ("Smith, Mary Ann", ["Mary Ann Smith"]),
        ("García Márquez, Gabriel", ["Gabriel García Márquez"]),
        ("Jo Smith, Ann Lee", [JO, ANN]),
        ("Smith, Jr.", ["Smith, Jr."]),
        ("Jo Smith", [JO]),
    ],
)
def test_last_name_first_where_it_is_usual(text, names):
    assert split_names(text, inverted=True) == names


def test_language_of_the_page_tells_what_is_no_name():
    assert split_names("Von Miller", "de") == ["Miller"]
    assert split_names("Jo Smith, Felix Leiter", "en") == [JO, "Felix Leiter"]
    assert split_names("Jo Schmidt, Leiter Politik", "de") == ["Jo Schmidt"]


@pytest.mark.parametrize("piece", ["(", "a@", "Jo Smith, ", "x", " ", "and ", "1 ", "\n", "@a "])
def test_a_megabyte_of_names_ends(piece):
    """Were it work in proportion to the square, this would not end: patterns are no calls that could be counted."""
    assert len(split_names("Jo Smith, " + piece * 500_000)) < 1000

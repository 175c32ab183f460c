"""An archive of two crawls, made once; each test that damages one gets its own copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.gazette import crawl, sentences, site, story


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two crawls: in the second, one page has changed and most others are revisits."""
    folder = tmp_path_factory.mktemp("sound") / "archive"
    pages = site()
    crawl(folder, pages, day=1)
    crawl(folder, {**pages, "/story/a-slug-of-report-2?id=2": story(2, sentences(22), latest=(3,))}, day=2)
    return folder


@pytest.fixture
def archive(sound: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return shutil.copytree(sound, tmp_path / "archive")

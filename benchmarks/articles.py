"""How well the general reader reads: body, date, title and authors over the pages in ../shared/articles.

    python benchmarks/articles.py [--errors published|title|authors|text] [--limit N]

Needs that folder beside the project; without it, says so and ends.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from locum_spider.extract.general.article import read_general
from locum_spider.extract.page.document import Document

ARTICLES = Path(__file__).resolve().parents[2] / "shared" / "articles"
LISTS = ("news", "benchmark")


def predict(row: dict[str, Any], html: bytes, now: datetime) -> dict[str, Any]:
    """One line for the scorer; the date as precise as the page has it."""
    article = read_general(Document(html, row["url"]), now)
    if article is None:
        return {"id": row["id"]}
    return {
        "id": row["id"],
        "title": article.title,
        "published": article.published_at or article.published,
        "authors": list(article.authors),
        "text": article.text,
    }


def run(name: str, limit: int | None, errors: str | None) -> None:
    """Predict one list, print the scorer's figures and the speed."""
    truth = ARTICLES / f"{name}.jsonl"
    rows = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()][:limit]
    pages = [gzip.decompress((ARTICLES / row["html_path"]).read_bytes()) for row in rows]
    now = datetime.now(UTC)
    predict(rows[0], pages[0], now)  # without the time for imports and tables
    start = time.process_time()
    predictions = [predict(row, page, now) for row, page in zip(rows, pages, strict=True)]
    spent = time.process_time() - start
    with tempfile.TemporaryDirectory() as folder:
        used, guessed = Path(folder, truth.name), Path(folder, "predictions.jsonl")
        used.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
        guessed.write_text("\n".join(json.dumps(row) for row in predictions), encoding="utf-8")
        command = [sys.executable, str(ARTICLES / "score_articles.py"), str(used), str(guessed)]
        command += ["--errors", errors] if errors else []
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    none = sum("text" not in row for row in predictions)
    print(f"{name}: {len(rows)} pages, {none} read as not an article, {len(rows) / spent:.1f} pages per CPU second")
    print("\n".join(lines[1:]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run both lists."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--errors", choices=["text", "published", "title", "authors"])
    parser.add_argument("--limit", type=int)
    options = parser.parse_args(arguments)
    if not ARTICLES.is_dir():
        print(f"nothing to measure: {ARTICLES} is missing")
        return 0
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    for name in LISTS:
        run(name, options.limit, options.errors)
    return 0


if __name__ == "__main__":
    sys.exit(main())

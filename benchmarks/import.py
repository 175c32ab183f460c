"""How fast `locum import` is, beside reading alone: the same pages, interpreted without WARC or database.

    python benchmarks/import.py [--articles 1000] [--runs 3]

Both run in this process, in turn, on one core. Prints pages per CPU second, the ratio of each pair, and the peak
memory: machines are noisy, ratios within one run are not.
"""

from __future__ import annotations

import argparse
import io
import resource
import statistics
import tempfile
import time
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from locum_spider.demo.sample import generate
from locum_spider.importing.records import read_captures
from locum_spider.importing.run import import_files
from locum_spider.items import Exchange
from locum_spider.recorder.reading import read
from locum_spider.sites import find_site
from locum_spider.sites.site import Site

DATE = "2016-05-02T10:00:00Z"


def write(path: Path, count: int) -> None:
    """A WARC of that many articles, as warcio writes it: response and request of each."""
    sample = generate(count)
    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=True)
        for number in range(count):
            url = sample.articles[number].url
            page = sample.pages[url]
            head = StatusAndHeaders("200 OK", [("Content-Type", page.content_type)], protocol="HTTP/1.1")
            asked = StatusAndHeaders("GET / HTTP/1.1", [("Host", "locumtoday.co.uk")], is_http_request=True)
            fields = {"WARC-Date": DATE}
            response = writer.create_warc_record(
                url, "response", payload=io.BytesIO(page.body), http_headers=head, warc_headers_dict=fields
            )
            request = writer.create_warc_record(url, "request", http_headers=asked, warc_headers_dict=fields)
            writer.write_request_response_pair(request, response)


def reading(site: Site, pages: list[Exchange]) -> float:
    """CPU seconds of reading pages that are in memory."""
    start = time.process_time()
    outcomes = [read(site, page).outcome for page in pages]
    spent = time.process_time() - start
    assert set(outcomes) == {"article"}
    return spent


def importing(path: Path) -> float:
    """CPU seconds of an import into a fresh archive."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        (result,) = import_files(Path(folder, "archive"), [path])
        spent = time.process_time() - start
    assert not result.broken
    return spent


def main() -> None:
    """Alternate the two and print each pair."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, default=1000, help="pages in the file (1000)")
    parser.add_argument("--runs", type=int, default=3, help="pairs of runs (3)")
    options = parser.parse_args()
    site = find_site("locum-today", Path())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pages.warc.gz")
        write(path, options.articles)
        with path.open("rb") as stream:
            pages = [item for item in read_captures(stream) if isinstance(item, Exchange)]
        reading(site, pages[:20])
        print(f"{options.articles} pages, {path.stat().st_size / 1e6:.1f} MB of WARC")
        print(f"{'':9}{'pages/CPU s':>12}")
        ratios = []
        for _ in range(options.runs):
            bound, whole = reading(site, pages), importing(path)
            for name, spent in (("reading", bound), ("import", whole)):
                print(f"{name:9}{len(pages) / spent:12.0f}", flush=True)
            ratios.append(bound / whole)
    print(f"pages/s, import to reading alone: {statistics.median(ratios):.2f} (median of pairs)")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f} MB, pages held included")


if __name__ == "__main__":
    main()

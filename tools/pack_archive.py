"""Pack an archive of this version, for the tests of later ones: run it before a migration is added.

    python tools/pack_archive.py

The small site of the crash harness is crawled twice (in between it changes). The archive goes to
`tests/fixtures/archives/`, under the name of the newest migration.
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
from pathlib import Path

from crash import SITE, Blow, run
from crash_site import site

from locum_spider.demo.server import SiteServer
from locum_spider.store.migrations import known

TO = Path(__file__).parents[1] / "tests" / "fixtures" / "archives"


def main() -> int:
    """Crawl, pack, print where."""
    path = TO / f"{max(known())[:4]}.tar.gz"
    with tempfile.TemporaryDirectory() as folder:
        for changed in (False, True):
            with SiteServer(site(changed=changed, articles=12, listings=2), conditional=True) as server:
                command = ["crawl", SITE, "--archive", folder, "--delay", "0", "--min-free", "0"]
                ended = run(command, server.url, Blow())
                if ended.code not in {0, 6}:  # 6: of so few articles two are gone
                    raise SystemExit(f"pack_archive: the crawl ended with {ended.code}: {ended.errors}")
        with tarfile.open(path, "w:gz") as packed:
            for name in ("archive.db", "warc"):
                packed.add(Path(folder, name), name)
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A crawl of a web archive, as people make it of a vanished site: pywb's own answers, in a WARC that warcio writes.

    python harvest.py SOURCE.warc.gz TARGET.warc.gz < paths

Makes a collection `site` of SOURCE in the current folder, asks pywb for each `path date` read, and records the answer
under the address it would have at https://web.archive.example. A process of its own: pywb changes Python's sockets for
all.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

ARCHIVE = "https://web.archive.example"


def main(source: str, target: str) -> None:
    """Answer what was asked, and print status and headers of each answer as JSON."""
    from gevent.monkey import patch_all

    patch_all()
    from pywb.apps.frontendapp import FrontEndApp
    from pywb.manager.manager import main as manage
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter
    from werkzeug.test import Client

    manage(["init", "site"])
    manage(["add", "site", source])
    client = Client(FrontEndApp(config_file=None))
    with Path(target).open("wb") as out:
        writer = WARCWriter(out, gzip=True)
        for line in sys.stdin:
            path, date = line.split()
            answer = client.get(path)
            body, headers = answer.get_data(), [(name, value) for name, value in answer.headers]
            record = writer.create_warc_record(
                ARCHIVE + path, "response", payload=io.BytesIO(body), warc_headers_dict={"WARC-Date": date},
                http_headers=StatusAndHeaders(answer.status, headers, protocol="HTTP/1.1"),
            )  # fmt: skip
            writer.write_record(record)
            print(json.dumps({"path": path, "status": answer.status_code, "headers": headers}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What pywb replays of a folder with `collections`: status and body of each `collection timestamp url` read, as JSON.

A process of its own: pywb changes Python's sockets for all.
"""

from __future__ import annotations

import base64
import json
import sys


def main() -> None:
    """Serve the collection in this process and ask for each line's capture as it was."""
    from gevent.monkey import patch_all

    patch_all()
    from pywb.apps.frontendapp import FrontEndApp
    from werkzeug.test import Client

    client = Client(FrontEndApp(config_file=None))
    for line in sys.stdin:
        collection, stamp, url = line.split()
        answer = client.get(f"/{collection}/{stamp}id_/{url}")
        print(json.dumps({"status": answer.status_code, "location": answer.headers.get("Location"),
                          "body": base64.b64encode(answer.get_data()).decode()}), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

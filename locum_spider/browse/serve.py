"""`locum serve`: Datasette on an archive."""

from __future__ import annotations

import socket
import sys
import threading
import webbrowser
from pathlib import Path
from typing import Any

from locum_spider.browse.configuration import SETTINGS, metadata
from locum_spider.errors import LocumError, UsageError
from locum_spider.store.files import DATABASE

__all__ = ["metadata", "serve"]


def serve(archive: Path, *, host: str = "127.0.0.1", port: int = 8001, open_browser: bool = False) -> int:
    """Serve an archive until Ctrl-C; crawls may go on meanwhile. Port 0 takes any free one.

    Raises ArchiveError if the folder is not an archive, UsageError if nothing can listen on the address.
    """
    import uvicorn

    app = datasette(archive)
    with _listen(host, port) as listener:
        url = _address(host, listener.getsockname()[1])
        print(f"{archive} can be read at {url} (Ctrl-C stops)", flush=True)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        server = uvicorn.Server(uvicorn.Config(app.app(), log_level="warning", lifespan="on", access_log=False))
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            return 0
    if not server.started:
        raise LocumError(f"Datasette could not be started on {archive / DATABASE}; its messages stand above")
    return 0


def datasette(archive: Path) -> Any:
    """A Datasette of an archive, with our plugin: read-only, but not immutable."""
    described = metadata(archive)

    from datasette.app import Datasette
    from datasette.plugins import pm

    from locum_spider.browse import plugin

    if not pm.is_registered(plugin):  # run from a source tree that was never installed
        pm.register(plugin, name=plugin.__name__)
    # If rich is installed, Datasette prints a traceback with all variables for each 404; faults it prints anyway.
    # (Looked up, since importing this module before Datasette's plugins leaves them without it.)
    vars(sys.modules["datasette.handle_exception"])["rich"] = None
    return Datasette([str(archive / DATABASE)], metadata=described, settings=SETTINGS)


def _listen(host: str, port: int) -> socket.socket:
    where = f"port {port} on {host}"
    if port not in range(65536):
        raise UsageError(f"{where} is not a port; name one from 1024 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise UsageError(f"{host} is not an address to listen on: {error.strerror}") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise UsageError(f"cannot listen on {where}: {error.strerror}; name another with --port") from None
    return listener


def _address(host: str, port: int) -> str:
    """Where a browser on this machine finds it.

    >>> _address("0.0.0.0", 80), _address("::1", 8001)
    ('http://127.0.0.1:80/', 'http://[::1]:8001/')
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - told from, not bound
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

"""`locum serve`: Datasette on an archive."""

from __future__ import annotations

import socket
import threading
import webbrowser
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from locum_spider.browse import processes
from locum_spider.browse.configuration import NAME, SETTINGS, metadata
from locum_spider.browse.guard import ANY, names
from locum_spider.errors import LocumError, UsageError
from locum_spider.store.connection import reading_place
from locum_spider.store.files import DATABASE


def serve(
    archive: Path, *, host: str = "127.0.0.1", port: int = 8001, allow_hosts: Iterable[str] = (),
    open_browser: bool = False,
) -> int:  # fmt: skip
    """Serve an archive until Ctrl-C; crawls may run meanwhile. Port 0 takes any free port.

    It answers to the names of this machine, to `host` and to `allow_hosts`. Raises ArchiveError if the folder is not an
    archive, UsageError if it cannot listen on the address.
    """
    app = datasette(archive, names(host, allow_hosts))
    with _listen(host, port) as listener, closing(app.get_database(NAME)) as database:
        database.begin()
        url = _address(host, listener.getsockname()[1])
        print(f"{archive} is served at {url} (press Ctrl-C to stop)", flush=True)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        server = _server(app.app(), database)
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            return 0
    if not server.started:
        raise LocumError(f"Datasette did not start on {archive / DATABASE}; see its messages above")
    return 0


def _server(app: Any, database: Any) -> Any:
    """A web server whose end waits for no question: what is still asked is told that it was stopped."""
    import uvicorn

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            database.end()
            await super().shutdown(sockets)

    return Server(
        uvicorn.Config(app, log_level="warning", lifespan="on", access_log=False, ws="none", server_header=False)
    )


def datasette(archive: Path, hosts: Sequence[str] = (ANY,)) -> Any:
    """A Datasette of an archive, with our plugin: read-only, but sees what crawls write."""
    described = metadata(archive, hosts)
    processes.prepare()

    from datasette.app import Datasette
    from datasette.plugins import pm

    from locum_spider.browse import plugin
    from locum_spider.browse.database import ArchiveDatabase

    if not pm.is_registered(plugin):  # run from a source tree that was never installed
        pm.register(plugin, name=plugin.__name__)
    place = reading_place(archive)
    served = Datasette([], metadata=described, settings=SETTINGS, template_dir=str(Path(__file__).parent / "tables"))
    served.remove_database("_memory")  # which it has if it has no other, and in which visitors could run SQL
    served.add_database(ArchiveDatabase(served, place.path, is_mutable=not place.immutable), name=NAME)
    return served


def _listen(host: str, port: int) -> socket.socket:
    if port not in range(65536):
        raise UsageError(f"{port} is not a port; choose one from 1024 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise UsageError(f"{host} is not an address to listen on: {error.strerror}; choose one with --host") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        fault = f"cannot listen on port {port} on {host}: {error.strerror}"
        raise UsageError(f"{fault}; try another --port or --host") from None
    return listener


def _address(host: str, port: int) -> str:
    """The address for a browser on this machine.

    >>> _address("0.0.0.0", 80), _address("::1", 8001)
    ('http://127.0.0.1:80/', 'http://[::1]:8001/')
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

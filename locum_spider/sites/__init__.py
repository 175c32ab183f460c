"""Finding declarations: shipped ones beside this file, the user's in the archive's `sites/`."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from locum_spider.errors import DeclarationError, UsageError
from locum_spider.sites.declaration import load_site
from locum_spider.sites.site import Addresses, Site

SHIPPED = Path(__file__).parent


def read_site(path: Path) -> Site:
    """The site declared in a TOML file. Raises DeclarationError with file and key."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeclarationError(f"{path}: cannot be read as TOML: {error}") from None
    except OSError as error:
        raise DeclarationError(f"{path}: cannot be opened: {error.strerror}") from None
    site = load_site(data, str(path))
    if site.name != path.stem:
        raise DeclarationError(f"{path}: name: {site.name!r} must be the file's name, {path.stem!r}")
    return site


def load_sites(
    archive: Path | None = None, on_error: Callable[[DeclarationError], object] | None = None
) -> dict[str, Site]:
    """All declared sites by name; a declaration in the archive replaces a shipped one of its name.

    A declaration that cannot be read goes to `on_error` and is left out; without `on_error` it raises.
    """
    folders = [SHIPPED] if archive is None else [SHIPPED, archive / "sites"]
    files = {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}
    sites: dict[str, Site] = {}
    for name, path in sorted(files.items()):
        try:
            sites[name] = read_site(path)
        except DeclarationError as error:
            if on_error is None:
                raise
            on_error(error)
    return sites


def _pass_over(error: DeclarationError) -> None:
    """A broken declaration of another site does not stop the use of this one; `locum sites` reports it."""


def find_site(name: str, archive: Path | None = None) -> Site:
    """One declared site. Raises UsageError, with the names of those declared, if it is not."""
    for folder in ([archive / "sites"] if archive else []) + [SHIPPED]:
        path = folder / f"{name}.toml"
        if path.is_file():
            return read_site(path)
    declared = ", ".join(load_sites(archive, _pass_over))
    raise UsageError(
        f"{name!r} is not a site that is declared; declare it in the archive's sites/{name}.toml, or name one of: "
        f"{declared}"
    )


def site_for(name: str, archive: Path | None, *, declared: bool) -> Site:
    """The site that captures belong to: as declared, or without a declaration if they were imported so.

    Raises UsageError if the site must be declared and is not.
    """
    try:
        return find_site(name, archive)
    except UsageError:
        if declared:
            raise
        return undeclared(name)


def undeclared(name: str) -> Site:
    """A site that is not declared: any page of it may be an article, and the general reader decides."""
    return Site(name=name, title=name, hosts=(), start=(), timezone="UTC", language="en", articles=Addresses())


def note_date_order(archive: Path, name: str, order: str, example: str) -> None:
    """Write a learnt `date_order` into the archive's own declaration of a site, if there is one.

    The key goes to the top, above the first table, with the date it was learnt from, so that users can correct it.
    """
    path = archive / "sites" / f"{name}.toml"
    if not path.is_file():
        return
    line = f'date_order = "{order}" # learnt from {json.dumps(example, ensure_ascii=False)}\n'
    part = path.with_suffix(".toml.part")
    part.write_text(line + path.read_text(encoding="utf-8"), encoding="utf-8")
    part.replace(path)


def site_of(url: str, archive: Path | None = None) -> Site | None:
    """The declared site that an address belongs to."""
    sites = load_sites(archive, _pass_over) if archive else _shipped()
    return next((site for site in sites.values() if site.owns(url)), None)


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Site]:
    """Read once: they do not change while a program runs, and each page read asks for them."""
    return load_sites(None, _pass_over)

"""How often sites are to be crawled."""

from __future__ import annotations

import sqlite3


def schedule(db: sqlite3.Connection, site: str, every: str, now: str) -> None:
    """Note how often a site is to be crawled."""
    db.execute(
        "INSERT INTO schedules (site, every, since) VALUES (?, ?, ?) "
        "ON CONFLICT (site) DO UPDATE SET every = excluded.every",
        (site, every, now),
    )


def unschedule(db: sqlite3.Connection, site: str) -> bool:
    """Take a site off the schedule; False if it was not on it."""
    return db.execute("DELETE FROM schedules WHERE site = ?", (site,)).rowcount > 0

"""How often sites are crawled."""

from __future__ import annotations

import sqlite3


def schedule(db: sqlite3.Connection, site: str, every: str, now: str) -> None:
    """Put a site on the schedule, or change how often it is crawled."""
    db.execute(
        "INSERT INTO schedules (site, every, since) VALUES (?, ?, ?) "
        "ON CONFLICT (site) DO UPDATE SET every = excluded.every",
        (site, every, now),
    )


def unschedule(db: sqlite3.Connection, site: str) -> bool:
    """Take a site off the schedule; False if it was not on it."""
    return db.execute("DELETE FROM schedules WHERE site = ?", (site,)).rowcount > 0

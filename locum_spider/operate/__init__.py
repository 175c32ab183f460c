"""Running crawls regularly."""

"""When a page was published: every date it gives for itself, and the one to believe."""

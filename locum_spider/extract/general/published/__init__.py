"""When a page was published: collects every date that it gives, and chooses one."""

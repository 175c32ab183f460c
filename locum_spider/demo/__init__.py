"""A sample of Locum Today and the loopback server it is crawled from. No network."""

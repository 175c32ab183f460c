"""Downloader middlewares: keep every exchange, stay on the site, obey robots.txt, wait when asked to."""

"""One spider class for each declared site, so that `scrapy list` and `scrapy crawl NAME` know them."""

from __future__ import annotations

from pathlib import Path

from locum_spider.crawl.settings import LOCUM_ARCHIVE
from locum_spider.crawl.spiders.site import SiteSpider, spider_class
from locum_spider.sites import load_sites

__all__ = ["SiteSpider", "spider_class"]

globals().update({_class.__name__: _class for _class in map(spider_class, load_sites(Path(LOCUM_ARCHIVE)).values())})

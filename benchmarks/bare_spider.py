"""The least that Scrapy can do with a site: follow every link on its hosts, read nothing, keep nothing."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

import scrapy
from scrapy.crawler import AsyncCrawlerProcess


class BareSpider(scrapy.Spider):
    """Follows links."""

    name = "bare"
    allowed_domains = ("locumtoday.co.uk",)
    start_urls = ("http://locumtoday.co.uk/",)

    def parse(self, response):
        """Every link of a page."""
        for href in response.css("a::attr(href)").getall():
            url = response.urljoin(href)
            if urlsplit(url).scheme == "http":
                yield scrapy.Request(url)


def main(concurrency: int) -> None:
    """Crawl through the proxy that the environment names, as fast as it goes."""
    process = AsyncCrawlerProcess(
        {
            "CONCURRENT_ITEMS": 4,
            "CONCURRENT_REQUESTS": concurrency,
            "CONCURRENT_REQUESTS_PER_DOMAIN": concurrency,
            "ROBOTSTXT_OBEY": True,
            "TELNETCONSOLE_ENABLED": False,
            "REMOTE_CONTROL_ENABLED": False,
            "COOKIES_ENABLED": False,
            "LOG_LEVEL": "ERROR",
        }
    )
    crawler = process.create_crawler(BareSpider)
    process.crawl(crawler)
    process.start()
    print(crawler.stats.get_value("response_received_count"))


if __name__ == "__main__":
    main(int(sys.argv[1]))

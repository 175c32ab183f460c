"""Every Scrapy setting that differs from its default, with the reason. Only this module reads the environment."""

import os

from locum_spider.version import __version__
from locum_spider.warc.codings import ACCEPTED

BOT_NAME = "locum_spider"  # default "scrapybot"
SPIDER_MODULES = ["locum_spider.crawl.spiders"]
NEWSPIDER_MODULE = "locum_spider.crawl.spiders"

# -- ours ----------------------------------------------------------------------------------------------------------
LOCUM_ARCHIVE = os.environ.get("LOCUM_ARCHIVE") or "data"
LOCUM_CONTACT = os.environ.get("LOCUM_CONTACT", "")
LOCUM_DURABLE = False  # fsync of WARC and database: survives a power cut, at a sixth of the speed
LOCUM_WARC_BYTES = int(os.environ.get("LOCUM_WARC_BYTES") or 1_000_000_000)  # bytes; at this size the next file begins
LOCUM_MIN_FREE = 500_000_000  # bytes that must stay free on the disk; a crawl stops before
LOCUM_MAX_RETRY_AFTER = 600  # seconds a server may make us wait; if it asks for more, the request fails

# -- politeness ----------------------------------------------------------------------------------------------------


def user_agent(contact: str) -> str:
    """The name that we crawl under: that of the project, and whom to write to."""
    return f"locum-spider/{__version__} (news archiver; {contact or 'no contact given'})"


USER_AGENT = user_agent(LOCUM_CONTACT)  # default "Scrapy/VERSION (+https://scrapy.org)"
ROBOTSTXT_OBEY = True  # default False
ROBOTSTXT_USER_AGENT = "locum-spider"  # default None: the whole user agent, which no robots.txt names
CONCURRENT_REQUESTS = 1  # default 16; the site's declaration or --concurrency sets both
CONCURRENT_REQUESTS_PER_DOMAIN = 1  # default 8
DOWNLOAD_DELAY = 1.0  # default 0; the site's declaration or --delay sets it
DOWNLOAD_DELAY_JITTER = 0  # default 0.5: it would halve a delay, and a Crawl-delay is a minimum
RETRY_TIMES = 3  # default 2; with backoff in between, see middlewares.retry

# -- capture -------------------------------------------------------------------------------------------------------
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en",
    "Accept-Encoding": ACCEPTED,  # default gzip, deflate, br, zstd: some readers of WARC fail on the last two
}
COMPRESSION_ENABLED = False  # default True; bodies are kept as they came and unpacked by the recorder
METAREFRESH_ENABLED = False  # default True; it would need every body unpacked in the reactor
COOKIES_ENABLED = False  # default True; an archive shows what everybody sees
DOWNLOAD_VERIFY_CERTIFICATES = True  # default False; a page from a forged connection is not evidence
DOWNLOAD_MAXSIZE = 32 * 1024 * 1024  # default 1 GiB; crawl.max_bytes of the site sets it
DOWNLOAD_WARNSIZE = 0  # default 32 MiB
DOWNLOAD_TIMEOUT = 60  # default 180
# default: Scrapy's own, which gives up on what is not quite HTTP; and handlers for schemes that no site has
DOWNLOAD_HANDLERS = {
    "http": "locum_spider.crawl.http.handler.DownloadHandler",
    "https": "locum_spider.crawl.http.handler.DownloadHandler",
    "data": None,
    "file": None,
    "ftp": None,
    "s3": None,
}
RETRY_EXCEPTIONS = [  # default: also those of Scrapy's handler, which would be imported for them
    "scrapy.exceptions.CannotResolveHostError",
    "scrapy.exceptions.DownloadConnectionRefusedError",
    "scrapy.exceptions.DownloadFailedError",
    "scrapy.exceptions.DownloadTimeoutError",
]
REFERRER_POLICY = "no-referrer"  # what we keep must not depend on the page we came from

# -- our components ------------------------------------------------------------------------------------------------
SCHEDULER = "locum_spider.crawl.scheduler.FrontierScheduler"
ITEM_PIPELINES = {"locum_spider.crawl.pipelines.RecorderPipeline": 300}
DOWNLOADER_MIDDLEWARES = {
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,  # drops redirects silently
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
    "locum_spider.crawl.middlewares.robots.PoliteRobotsTxtMiddleware": 100,
    "locum_spider.crawl.middlewares.retry.PatientRetryMiddleware": 550,
    "locum_spider.crawl.middlewares.redirect.SameSiteRedirectMiddleware": 600,
    # next to the downloader: sees redirects, retries, robots.txt
    "locum_spider.crawl.middlewares.capture.CaptureMiddleware": 950,
}

# -- what we do not use --------------------------------------------------------------------------------------------
CONCURRENT_ITEMS = 4  # default 100: Scrapy starts that many worker tasks per callback, a third of all pages/s
TELNETCONSOLE_ENABLED = False  # default True
REMOTE_CONTROL_ENABLED = False  # default True: a server that answers on a local port
MEMUSAGE_ENABLED = False  # default True
LOGSTATS_INTERVAL = 0  # default 60.0; the progress display shows it
STATS_DUMP = False  # default True; the report shows it
LOG_LEVEL = "INFO"  # default "DEBUG": a line for each page
LOG_INSTALL_ROOT_HANDLER = False  # default True; the command line decides where logs go
LOG_VERSIONS: list[str] = []
LOG_FORMATTER = "locum_spider.crawl.logs.LogFormatter"  # default: writes every item, bodies and all, into the log
# Each of these looks at every page and finds nothing to do:
SPIDER_MIDDLEWARES = {
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,  # error pages are captures too
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
}
DOWNLOADER_STATS = False  # default True
EXTENSIONS = {
    "scrapy.extensions.logstats.LogStats": None,
    "scrapy.extensions.throttle.AutoThrottle": None,
    "scrapy.extensions.closespider.CloseSpider": 0,
}

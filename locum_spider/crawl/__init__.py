"""The Scrapy project: nothing else imports Scrapy."""

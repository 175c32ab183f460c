"""The date reader: it reads the date that a news page prints, strictly or not at all."""

from locum_spider.dates.reader import EARLIEST, is_reckoned, learn_order, read_date, read_dates
from locum_spider.dates.value import Date, Dates

__all__ = ["EARLIEST", "Date", "Dates", "is_reckoned", "learn_order", "read_date", "read_dates"]

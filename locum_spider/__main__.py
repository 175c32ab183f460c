"""`python -m locum_spider` is `locum`."""

from locum_spider.cli import main

if __name__ == "__main__":
    main()

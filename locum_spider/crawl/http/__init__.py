"""HTTP as it is spoken: asking for a page, and reading whatever comes as leniently as browsers do."""

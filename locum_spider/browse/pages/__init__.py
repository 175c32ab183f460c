"""The pages that we add to Datasette: one file a page, and what they share."""

"""The pages that we add to Datasette, one file for each, and what they share."""

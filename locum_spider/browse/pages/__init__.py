"""The pages that we add to Datasette."""

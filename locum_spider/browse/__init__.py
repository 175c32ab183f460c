"""Reading an archive in Datasette: pages, canned queries, and `serve`."""

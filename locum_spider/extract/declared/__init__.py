"""Reading pages by the rules of a site's declaration."""

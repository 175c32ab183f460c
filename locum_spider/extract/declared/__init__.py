"""The declared reader: it reads pages by the rules of a site's declaration."""

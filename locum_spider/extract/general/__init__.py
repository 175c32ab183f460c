"""The general reader: article pages of sites that nobody has declared, by their metadata and their visible text."""

"""Taking an article down: what would go, where else it is named, and whether all that went is accounted for."""

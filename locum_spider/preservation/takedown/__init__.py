"""Takes an article down: what must go, where else it is named, and whether every removed record is accounted for."""

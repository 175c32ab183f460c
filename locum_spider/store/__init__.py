"""All SQL of the project but the schema itself: opening, writing, the frontier, reading and searching."""

"""Everything that speaks SQL: the schema, opening, writing, the frontier, reading and searching."""

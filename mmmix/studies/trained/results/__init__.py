"""Results of studies: kept, in tables, in figures."""

"""Tools of others as engines: each reads a whole batch in one process."""

"""From a concrete syntax tree, which steps over errors, to the standard library's `ast` nodes."""

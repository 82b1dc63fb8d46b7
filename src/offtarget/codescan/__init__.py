"""Code analysis without machine learning: read snippets, find flaws, say how sure."""

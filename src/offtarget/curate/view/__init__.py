"""The data-set view: what a data set is made of, beyond its single findings."""

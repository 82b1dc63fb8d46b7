"""The little of lxml that a fix kind's pair runs on; lxml is no dependency."""

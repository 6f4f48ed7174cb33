"""JPEG by segments.  Rule: the writer, the grammar it is checked against, and how data is read."""

"""AIFF and AIFF-C, chunk by chunk."""

"""PDF made anew from its pages.

Rule: what a page shows is copied by allow-list into new objects, and written by our own writer;
whatever is not reached that way does not exist in the result.
"""

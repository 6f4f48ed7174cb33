"""Looking at a case's files, and what follows: previews, redacted copies, quarantine.

Rule: nothing here parses a file; what is shown was made anew from pixels and samples that a jailed
worker gave out (sanitizer.sight), and lies in memory alone.
"""

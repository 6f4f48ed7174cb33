"""Files that try to carry a word past the sanitizer: real ones, each with one hiding place.

Thought up as a camera maker, a tracker, a seller of watermarks, a hostile app and a careless
exporter would.  ``python -m tests.adversary FOLDER`` writes them out for any judge and any cleaner.
"""

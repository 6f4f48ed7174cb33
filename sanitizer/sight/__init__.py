"""A file that is looked at: nothing of it but pixels and samples comes out of the jail.

Rule: a parser written in C meets the file behind the lock alone, and what it answers is a width, a
height and that many pixels.  What is shown is written from them by code of ours.
"""

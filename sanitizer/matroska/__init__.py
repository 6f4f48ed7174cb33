"""Matroska and WebM: written anew from what was understood of them, in one more pass."""

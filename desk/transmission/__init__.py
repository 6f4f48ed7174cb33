"""Hand a case to the competent service: one sealed, signed file, and how to prove it there."""

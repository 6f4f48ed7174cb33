"""E-Blagh's first quarter, made up anew: synthetic reports with the published counts."""

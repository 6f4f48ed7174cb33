"""The reporters' site: no cookie, nobody else's anything, and nothing that needs a script."""

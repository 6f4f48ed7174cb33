"""The offline root: makes keys and signs rosters.  Nothing here ever needs a network."""

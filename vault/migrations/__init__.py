"""How the tables came to be, one revision at a time; run by vault.database, never by hand."""

"""PNG and APNG by chunks."""

"""What an outsider can check with no key."""

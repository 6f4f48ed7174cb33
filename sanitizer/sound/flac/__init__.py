"""FLAC (RFC 9639), in a stream of its own."""

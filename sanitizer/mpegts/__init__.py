"""MPEG transport streams: what they carry, and its way into an MP4."""

"""Ogg (RFC 3533) with Opus, Vorbis, FLAC or Speex in it."""

"""WAV and AVI, chunk by chunk."""

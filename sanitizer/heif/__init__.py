"""HEIC and AVIF by boxes and items."""

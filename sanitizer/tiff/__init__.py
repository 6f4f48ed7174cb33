"""TIFF by directories."""

"""WebP: lossy, lossless and animated."""

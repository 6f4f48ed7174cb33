"""GIF, still and animated."""

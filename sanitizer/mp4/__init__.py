"""MP4, MOV, M4V, M4A and 3GP: read, copied, checked, read again."""

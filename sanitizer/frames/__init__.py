"""What hides inside coded frames and decoder setups, whatever the container they travel in."""

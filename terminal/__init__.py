"""What every program of Amana does in a terminal; below all rooms, and knows none of them."""

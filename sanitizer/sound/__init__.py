"""Sound in streams of its own: frames and pages that are walked, cleaned and written anew."""

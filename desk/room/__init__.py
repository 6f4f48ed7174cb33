"""The command room: figures of opened cases, counted here; and what of them is public."""

"""The desks' door.  Routes: app.py; who asks: proof.py; what they may see: views.py."""

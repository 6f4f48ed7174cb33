"""The desk in a browser on this machine: routes in app.py, the lock in door.py.

Rule: pages show and send; what is true, forged, sealed or kept is the engine's, which
knows nothing of pages.
"""

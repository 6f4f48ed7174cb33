"""Shelves for sealed envelopes and nothing else: the vault recognises an envelope's outside."""

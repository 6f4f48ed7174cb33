"""Fuzzing: ``make fuzz``, or ``python -m tests.fuzz --format PNG --runs 20000`` for a look.

Rule: whatever a mutated file is, only a leaf of Refused comes out, or a result that is settled
(cleaned again it stays the same) and holds no word that was planted outside pictures and sound.
"""

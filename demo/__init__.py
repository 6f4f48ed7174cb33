"""The rehearsal's conductor: runs the programs as programs, and imports no room."""

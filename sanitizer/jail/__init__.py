"""Where parsers written in C run: a process that can do nothing but answer."""

"""Files from outside: what kind of file it is, how large, and how its text may be shown."""

"""Operating an installation: diagnosis, backup, and publications for other hosts."""

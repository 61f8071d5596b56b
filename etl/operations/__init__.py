"""Running an installation: what is wrong with it, its backup, and publications for other hosts."""

"""python -m etl: `commands.main` reads the arguments, runs one command and prints; it computes nothing."""

"""How fast the house answers, beside what a reader could pick instead: python -m bench."""

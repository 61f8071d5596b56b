"""What pages are made of. The order of its packages is that of CONTRIBUTING.md. No SQL of the warehouse, and a number only
from an Answer.
"""

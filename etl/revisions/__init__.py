"""Which numbers changed between two publications, and why: fingerprints of rows and definitions, and their difference.

Others call `diff`; it compares publications and never changes one.
"""

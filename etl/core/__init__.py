"""What every package uses: the Jalali calendar, text folding, errors, paths, atomic files, settings, declarations.

It imports nothing of ours, and no pandas.
"""

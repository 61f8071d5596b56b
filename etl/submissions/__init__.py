"""What provinces hand in: drafts, the whole check, approval and publishing.

A submission is one province and one Jalali month. Its files are kept as they came, with their digests, in a folder that the
web account writes; checking and publishing are orders in it, which the account of the build takes (`python -m etl work`).
"""

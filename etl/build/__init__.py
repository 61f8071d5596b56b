"""Load, build, check, publish: `pipeline.build` turns a folder of source files into a publication or refuses it.

Reference tables, staging, the load report, returns to the provinces and the guard of volumes stand here; no metric is defined.
"""

"""The warehouse: models/*/*.sql (one table each), checks/*.sql (rows that must not exist), and publications.

`run_models` creates the tables, `publications` opens and moves what is published. No metric is defined here.
"""

"""Source files become typed rows and rejected rows: contracts/*.toml, and one reader for each format, in worker processes.

Others call `read_folder.WorkerPool`; nothing here knows other rows of the table, or the warehouse.
"""

WORKER = "etl.extract.worker"

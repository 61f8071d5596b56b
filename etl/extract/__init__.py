WORKER = "etl.extract.worker"

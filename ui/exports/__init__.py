"""An Answer as a file: CSV, XLSX, Parquet, JSON, with what it is about. Independent of Streamlit; `job` runs in a worker."""

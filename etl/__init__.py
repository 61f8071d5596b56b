"""The data pipeline and the semantic layer: from the submitted files to the answer to a question."""

import os

# Nothing here multiplies matrices; the threads that OpenBLAS starts for it would spin while idle.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

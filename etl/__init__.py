"""What is true: from the files that provinces hand in to the answer to a question."""

import os

# No sum here is one of matrices: the threads that numpy's library starts for those would wait for work, and wait busily.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

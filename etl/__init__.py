"""What is true: from the files that provinces hand in to the answer to a question."""

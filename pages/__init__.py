"""One file a page, one question each; text.toml holds the words. A page chooses and arranges, it computes nothing."""

"""Follow: a person states a condition once, and is told of each publication in which it begins to hold."""

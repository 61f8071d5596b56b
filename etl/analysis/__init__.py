"""What no single question answers: why a rate changed, projection, signals, survival, endings, queue, plans.

Each analysis is a function under `@analysis`, written in pandas and numpy, that returns `compose(...)`; `analyses` lists them.
Nothing here creates a table or knows how an Answer is shown.
"""

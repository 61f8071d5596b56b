"""The one way to answers: `warehouse` asks under the user's scope and caches; long work runs in a worker process.

Only this package opens publications for pages.
"""

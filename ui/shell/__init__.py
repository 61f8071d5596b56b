"""Around the pages: frame and menu, sign-in and its gate, middleware, logs, and the data address /data/."""

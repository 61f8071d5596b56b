"""How the dashboard is served to many: several processes behind nginx."""

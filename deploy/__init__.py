"""An installation: several web processes behind nginx."""

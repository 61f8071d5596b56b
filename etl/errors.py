"""What every part of the load can raise."""


class Refused(Exception):
    """A file or a build that cannot be taken; its text is one line that names the file, the place and the reason."""

    # Whether the file was refused for its headers, though most of them are those of the table.
    resembles = False

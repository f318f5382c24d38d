"""The chart: for each row, viewduct's first ratio to a peer on both backends, beside a line at 1."""


def draw(measured):
    return ""

"""From the lines of a table to visits: headings, cells read one by one, rows put together."""

"""The files and worksheets of one squad, joined to one table with a row for each visit."""

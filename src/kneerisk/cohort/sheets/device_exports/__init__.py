"""What devices export: a row for each test, dates or trials as columns, isokinetic reports."""

"""Files of any size: scored in chunks, by several processes, and gone on with after a stop."""

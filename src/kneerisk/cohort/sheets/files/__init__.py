"""From the bytes of a file to its lines: text, Excel, OpenDocument, within limits."""

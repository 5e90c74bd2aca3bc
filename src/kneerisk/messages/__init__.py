"""What only the HTTP service says: the shapes of its messages, for the service and its client.

A screening, its answer and what a request may ask are described where they are made; the documents
that go around them stand here.
"""

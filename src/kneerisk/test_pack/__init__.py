"""A test pack: screenings with the answers that a version gives, to check any service against.

Whoever embeds the service, moves it to another machine or implements the model anew sends the
requests and compares. `pack_requests` makes them, `expected_answers` says what is compared,
`pack_files` keeps both in a folder, `pack_check` asks a service.
"""

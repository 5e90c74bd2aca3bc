"""How far predicted risks are from what happens, and what recalibrating would gain."""

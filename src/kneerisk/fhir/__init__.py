"""FHIR R4 and CDS Hooks: a screening read from resources, an answer written as resources and cards.

All tables are derived from the schema. The JSON is written by hand, as R4 and R4B have it.
"""

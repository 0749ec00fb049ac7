"""The steps that make the tables what `persistence/tables.py` says they are."""

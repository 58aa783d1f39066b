"""One self-contained page about a model: tables and drawings that a browser makes interactive."""

"""Text of C: templates, literals, escaping, prefixes."""

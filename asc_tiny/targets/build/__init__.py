"""Generated projects: found, configured and built by their tools."""

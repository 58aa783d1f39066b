"""The watched board on a terminal: a full-screen application, which needs Textual."""

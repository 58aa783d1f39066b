"""The watched board in browsers: a server, which needs websockets, and its page."""

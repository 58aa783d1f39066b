"""TFLite files: reading, checking, and the graph of operators that they hold."""

"""Layouts of data sets as people have them: a module each, with `read(source, options)`."""

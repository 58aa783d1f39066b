"""What ``asc-tiny generate --project KIND`` writes: a module per kind of project.

To add a kind:

* a module here, NAME.py, with its ``KIND``, a ``generator.Kind``: what it refuses, and a function
  from a ``generator.Request`` to its files, path to contents; a kind that reads a microphone takes
  library, self-test and ``asc_listen`` from ``microphone_app``;
* its templates in ``firmware_templates/projects/NAME``, which ``generator.render`` turns into
  files;
* a line in ``registry.py``.

The command line, the writing to disk and the manifest follow from these.
"""

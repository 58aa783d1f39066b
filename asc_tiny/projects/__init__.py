"""What ``asc-tiny generate --project KIND`` writes: a module per kind of project."""

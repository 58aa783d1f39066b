"""Getting an image into a board: one module per tool, chosen by the project and the board."""

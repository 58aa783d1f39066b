"""The compiler from a .tflite graph to C, pass by pass.

build: operators become stages that make one row of their output at a time
schedule: the order of rows, and how many of each tensor exist at the same time
memory: where rows live in the arena
emit: tables and constants as C text
"""

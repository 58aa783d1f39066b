"""The compiler from the graph of a .tflite file to a plan of stages, rows and places in memory.

pipeline: the driver, which runs the passes in their order and has ``verify`` check after each
supported: which networks it takes
lower: each operator becomes stages; a stage makes one row of its output at a time
passes: other layouts of the same work: several rows in a run, width tiles, streamed columns
planner: which tensors are made as a whole, the order of all runs, and where rows lie in the arena
report: all of this as text and pictures

``ir`` and ``kernel_params`` are the data that they hand on. ``firmware.network`` prints the C.
"""

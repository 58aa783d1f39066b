"""The compiler from the graph of a .tflite file to a plan of stages, rows and places in memory.

lower: each operator becomes stages; a stage makes one row of its output at a time
passes: other layouts of the same work: several rows in a run, rows in parts, columns as they come
planner: which tensors are made as a whole, the order of all runs, and where rows lie in the arena
report: all of this as text and pictures

``firmware.network`` turns the plan into C.
"""

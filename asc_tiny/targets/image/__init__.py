"""Built images: their costs, stages, stack, and checks of their answers."""

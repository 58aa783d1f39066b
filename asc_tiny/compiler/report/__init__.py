"""What the compiler tells people: the plan, a dump, a memory map, supported operators."""

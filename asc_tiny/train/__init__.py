"""Training of the networks: recipes, the loop, distillation, augmentation."""

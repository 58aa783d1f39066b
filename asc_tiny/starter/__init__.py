"""What a project of one's own starts from: released models, recipes, a folder of first files."""

"""Search for hyper-parameters and architectures under the budgets of a chip."""

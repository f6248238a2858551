"""What a run writes: pictures with their recipes, batches of rows, the contact sheet."""

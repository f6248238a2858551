"""What a training leaves: its folder, checkpoints, losses, samples, and the LoRA in every form."""

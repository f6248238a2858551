"""Training on this machine, with diffusers and PEFT."""

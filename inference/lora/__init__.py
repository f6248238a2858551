"""Style LoRAs: finding, reading, merging and describing their files."""

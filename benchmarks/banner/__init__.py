"""What a banner costs, where it is placed, and the gallery."""

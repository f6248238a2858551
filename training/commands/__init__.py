"""What the command lines of `training` do, each in a module of its name: imported once the arguments are read."""

"""What the command lines of `inference` do, each in a module of its name: imported once the arguments are read."""

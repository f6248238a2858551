"""What measuring scripts do, each in a module of its name: imported once the arguments are read."""

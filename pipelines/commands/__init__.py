"""The commands of `kneerisk` as they are typed: options, help and what is printed; no work."""

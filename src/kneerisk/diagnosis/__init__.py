"""What usually goes wrong on a machine that trains or serves, found and explained."""

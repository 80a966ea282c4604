"""Household list, registry, class and poverty list, held against each other."""

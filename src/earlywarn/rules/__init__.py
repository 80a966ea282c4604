"""Rule packs: reading, checking, testing and evaluating them."""

"""What a model is measured by, with intervals over students."""

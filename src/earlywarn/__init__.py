"""earlywarn: rules and a learned scorecard that find the children about to drop out of school."""

__version__ = "0.1.0"

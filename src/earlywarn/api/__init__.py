"""What a notebook or a script calls: a workspace's features, panel, models and scores as tables."""

from earlywarn.api.model import Model
from earlywarn.api.project import Project, open_project
from earlywarn.api.tables import share_on_list

__all__ = ["Model", "Project", "open_project", "share_on_list"]

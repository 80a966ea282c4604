"""One card a child, one page a school: all that the workspace knows, on paper.

    child_card(workspace, "G110...", Role.COUNTY)      what stands on a child's card
    school_card(workspace, "30202", Role.COUNTY)       what stands on a school's

`child_page` and `school_page` make pages of them, `files` says where these lie.
"""

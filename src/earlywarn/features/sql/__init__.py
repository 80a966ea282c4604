"""The definitions of the features, one .sql file for each family."""

SQL_PACKAGE = __name__

"""Which value goes to which argument of which component, for which rows."""

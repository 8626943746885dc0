"""How the demo content moves into the tables: in bulk where rows are only rows, through the services where money is."""

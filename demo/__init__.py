"""The demo community: its content as data, the pictures it wears, and how it moves into an empty database."""

import os

# Tables look for their engine by this name on the first write; every way to start us comes through this package.
os.environ.setdefault("PICCOLO_CONF", "app.piccolo_conf")

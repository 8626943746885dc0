"""What the JSON doors take and give, as the OpenAPI document shows it."""

from community.media.schemas import UploadView

upload = UploadView("31", "/media/5d/5d0c7e1b.webp", 1280, 960)

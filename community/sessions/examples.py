"""What the JSON doors take and give, as the OpenAPI document shows it."""

from community.sessions.schemas import Login, Token

login = Login("ada", "correct horse battery")
token = Token("gv_Yt0lCkq3Vb5mZ8sX1nR7dQ2wE6uH9aJ4")

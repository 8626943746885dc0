"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime

from community.topics.schemas import (
    Author,
    NewPost,
    NewTopic,
    PostMade,
    Posts,
    PostView,
    ReactionCount,
    Reactions,
    TopicMade,
    Topics,
    TopicView,
)

_at = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
_ada = Author("7", "ada", "Ada")

new_topic = NewTopic("Which grinder for a moka pot?", "Mine **clogs** at the finest step.", "question")
topic_made = TopicMade("12", "which-grinder-for-a-moka-pot", "/g/coffee/t/12-which-grinder-for-a-moka-pot")
topic = TopicView(
    id="12",
    slug="which-grinder-for-a-moka-pot",
    url="/g/coffee/t/12-which-grinder-for-a-moka-pot",
    group="coffee",
    kind="question",
    title="Which grinder for a moka pot?",
    author=_ada,
    post_count=2,
    reaction_count=1,
    created_at=_at,
    active_at=_at,
)
topics = Topics([topic], None)
new_post = NewPost("Two steps coarser, and a quick shake.")
post_made = PostMade("41", 2, "<p>Two steps coarser, and a quick shake.</p>")
posts = Posts(
    [
        PostView(
            id="41",
            number=2,
            author=_ada,
            body="Two steps coarser, and a quick shake.",
            html="<p>Two steps coarser, and a quick shake.</p>",
            reply_to=None,
            reactions=[ReactionCount("👍", 1, True)],
            hidden=None,
            url="/g/coffee/t/12-which-grinder-for-a-moka-pot#post-2",
            created_at=_at,
            edited_at=None,
        )
    ],
    "2",
)
reactions = Reactions([ReactionCount("👍", 1, True)])

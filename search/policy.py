"""Who may find what. Asked when the question is asked, so that a revoked member and a hidden post are gone at once."""

from community.groups.policy import readable_groups


def findable(document: str, viewer_parameter: str) -> str:
    """SQL: the viewer may find this document (an alias of search_document).

    A closed group can be found, as it can be seen; what is said in it only by its members. A topic goes with its
    first post.
    """
    return f"""({document}.group_id IS NULL OR EXISTS (
                SELECT 1 FROM groups own WHERE own.id = {document}.group_id
                   AND (({document}.kind = 'group' AND own.visibility = 'closed')
                        OR {readable_groups("own", viewer_parameter)})))
        AND NOT EXISTS (SELECT 1 FROM hiding hid
                         WHERE hid.subject_kind = {document}.kind AND hid.subject_id = {document}.ref_id)
        AND ({document}.kind <> 'topic' OR NOT EXISTS (
                SELECT 1 FROM post first JOIN hiding hid ON hid.subject_kind = 'post' AND hid.subject_id = first.id
                 WHERE first.topic_id = {document}.ref_id AND first.number = 1))"""

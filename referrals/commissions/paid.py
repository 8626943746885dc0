"""Who has money from a store, of whatever kind: said beside what they write about it."""


def is_paid_by(member: str, store: str) -> str:
    """SQL: something stands for this member that the store pays (an order, a bounty, a fee, a lead), or a campaign of
    the store's was taken up. `store` compares: "= s.id"."""
    return f"""(EXISTS (SELECT 1 FROM commission paid JOIN program_version pv ON pv.id = paid.program_version_id
                          JOIN program pp ON pp.id = pv.program_id
                         WHERE paid.member_id = {member} AND paid.state NOT IN ('rejected', 'reversed')
                           AND pp.store_id {store})
             OR EXISTS (SELECT 1 FROM campaign_contract taken JOIN campaign tc ON tc.id = taken.campaign_id
                          JOIN program tp ON tp.id = tc.program_id
                         WHERE taken.member_id = {member} AND taken.state = 'accepted' AND tp.store_id {store}))"""

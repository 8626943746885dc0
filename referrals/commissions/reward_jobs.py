from app.events import on
from community.members.events import EmailProven
from community.phones.events import PhoneProven
from community.topics.events import PostWritten
from content.questions.events import QuestionAnswered
from content.reviews.events import ReviewWritten
from referrals.attribution.events import ConversionTold
from referrals.commissions import queries, rewards, volume
from referrals.commissions.events import CommissionChanged, CommissionEarned


@on(EmailProven)
async def pay_for_proven_member(event: EmailProven) -> None:
    await rewards.consider_activation(event.member_id)


@on(PhoneProven)
async def pay_for_member_with_a_phone(event: PhoneProven) -> None:
    await rewards.consider_activation(event.member_id)


@on(ReviewWritten)
async def pay_for_reviewer(event: ReviewWritten) -> None:
    await rewards.consider_activation(event.author_id)


@on(PostWritten)
async def pay_for_poster(event: PostWritten) -> None:
    await _consider_author("post", event.post_id)


@on(QuestionAnswered)
async def pay_for_answerer(event: QuestionAnswered) -> None:
    await _consider_author("answer", event.answer_id)


@on(ConversionTold)
async def pay_for_conversion(event: ConversionTold) -> None:
    await rewards.pay_conversion(event.conversion_id)


@on(CommissionEarned)
async def count_for_volume(event: CommissionEarned) -> None:
    if event.order_id is not None:
        await volume.rerate(event.order_id, event.member_id)


@on(CommissionChanged)
async def count_again_for_volume(event: CommissionChanged) -> None:
    if event.order_id is not None:
        await volume.rerate(event.order_id, event.member_id)


async def _consider_author(kind: str, thing_id: int) -> None:
    author_id = await queries.author_of(kind, thing_id)
    if author_id is not None:
        await rewards.consider_activation(author_id)

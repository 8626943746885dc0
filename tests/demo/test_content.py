"""The demo community reads like people: big enough, the same for a seed, never repeating itself within a page."""

import re
from collections import Counter
from io import BytesIO

import pytest
from PIL import Image

from demo.content import DemoContent, build
from demo.content.source import is_chinese
from demo.pictures import DRAWINGS, portrait, product_picture


@pytest.fixture(scope="module")
def content() -> DemoContent:
    return build(1)


def topics(content: DemoContent):
    return [topic for group in content.groups for topic in group.topics]


def sentences(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"(?<=[.!?。！？])\s*", text) if len(part.strip()) > 12]


def test_there_is_enough_to_page_through(content):
    assert len(content.groups) >= 12
    assert len(topics(content)) >= 150
    assert sum(len(topic.posts) for topic in topics(content)) >= 1500
    assert len(content.products) >= 60
    assert len(content.stores) == 3
    assert len(content.reviews) >= 900
    assert len(content.guides) >= 20
    assert len(content.members) >= 40
    assert all(20 <= len(group.chat) <= 60 for group in content.groups)
    assert len(content.clicks) > 1000
    assert len(content.refunds) >= 5


def test_the_same_seed_tells_the_same_story_and_another_seed_another(content):
    assert build(1) == content
    assert build(2) != content


def test_nobody_says_nothing(content):
    said = [(post.by, post.body) for topic in topics(content) for post in topic.posts]
    said += [(line.by, line.body) for group in content.groups for line in group.chat]
    said += [(review.by, review.body) for review in content.reviews] + [(r.by, r.title) for r in content.reviews]
    said += [(guide.by, block.text) for guide in content.guides for block in guide.blocks]
    said += [("shop", product.about) for product in content.products] + [("shop", p.title) for p in content.products]
    assert all(words.strip() for _, words in said)
    assert not [words for _, words in said if "{about}" in words or "lorem" in words.lower()]


def test_everyone_who_speaks_is_a_member_of_the_group(content):
    handles = {member.handle for member in content.members}
    assert len(handles) == len(content.members)
    for group in content.groups:
        assert set(group.members) <= handles
        assert {line.by for line in group.chat} <= set(group.members)
        assert {post.by for topic in group.topics for post in topic.posts} <= set(group.members)
        assert {r.by for t in group.topics for post in t.posts for r in post.reactions} <= handles


def test_no_sentence_comes_twice_in_a_thread(content):
    for topic in topics(content):
        told = [sentence for post in topic.posts for sentence in sentences(post.body)]
        assert [s for s, n in Counter(told).items() if n > 1] == [], topic.title


def test_no_two_topics_or_posts_begin_alike(content):
    assert len({topic.title for topic in topics(content)}) == len(topics(content))
    openings = Counter(post.body.split("\n")[0][:60] for topic in topics(content) for post in topic.posts)
    assert [opening for opening, times in openings.items() if times > 1 and len(opening) > 25] == []


def test_threads_go_forward_in_time_and_have_happened(content):
    for topic in topics(content):
        ages = [post.ago for post in topic.posts]
        assert ages == sorted(ages, reverse=True) and ages[-1] > 0, topic.title
    for group in content.groups:
        assert min(topic.posts[-1].ago for topic in group.topics) < 3 * 86400


def test_about_a_third_is_chinese(content):
    posts = [post.body for topic in topics(content) for post in topic.posts]
    assert 0.25 < sum(map(is_chinese, posts)) / len(posts) < 0.45
    assert 0.25 < sum(review.lang == "zh" for review in content.reviews) / len(content.reviews) < 0.45
    assert sum(guide.lang == "zh" for guide in content.guides) >= 6


def test_reviews_are_of_all_stars_and_one_a_member_and_product(content):
    stars = Counter(review.stars for review in content.reviews)
    assert stars[5] > stars[4] > stars[3] > stars[1] > 20 and stars[2] > 20
    assert len({(review.by, review.product) for review in content.reviews}) == len(content.reviews)
    owners = {store.slug: store.owner for store in content.stores}
    store_of = {product.slug: product.store for product in content.products}
    assert not [review for review in content.reviews if review.by == owners[store_of[review.product]]]


def test_reviews_of_one_product_never_repeat_each_other(content):
    for product in content.products:
        bodies = [review.body for review in content.reviews if review.product == product.slug]
        told = Counter(sentence for body in bodies for sentence in sentences(body))
        assert [sentence for sentence, times in told.items() if times > 1] == [], product.slug


def test_every_link_in_a_text_leads_to_a_product(content):
    slugs = {product.slug for product in content.products}
    posts = " ".join(post.body for topic in topics(content) for post in topic.posts)
    assert set(re.findall(r"\(/p/([^)]+)\)", posts)) <= slugs
    assert {block.product for guide in content.guides for block in guide.blocks if block.product} <= slugs
    assert {review.product for review in content.reviews} == slugs


def test_orders_carry_clicks_of_people_that_came_before_them(content):
    clicks = {click.key: click for click in content.clicks}
    carried = [order for order in content.orders if order.click]
    assert len(carried) >= 40
    assert all(clicks[order.click].kind == "human" and clicks[order.click].ago > order.ago for order in carried)
    assert all(clicks[signup.click].ago > signup.ago for signup in content.signups)
    assert len({order.id for order in content.orders}) == len(content.orders)


def test_refunds_never_give_back_more_than_was_paid(content):
    lines = {line.id: line for order in content.orders for line in order.lines}
    for refund in content.refunds:
        for line_id, quantity, amount in refund.lines:
            assert 0 < amount <= lines[line_id].gross - lines[line_id].discount
            assert quantity <= lines[line_id].quantity


def test_the_cast_has_what_the_tour_shows(content):
    cast = {member.handle: member for member in content.members}
    assert cast["jonas"].role == "moderator"
    assert next(store for store in content.stores if store.slug == "demo").owner == "ines"
    hero = "alder-trail-pack-28"
    assert any(review.by == "linwei" and review.product == hero for review in content.reviews)
    assert any(g.by == "linwei" and any(b.product == hero for b in g.blocks) for g in content.guides)
    assert sum(link.by == "linwei" for link in content.links) >= 5
    assert sum(review.product == hero for review in content.reviews) >= 40


def test_every_product_and_member_has_a_picture(content):
    assert {product.drawing for product in content.products} <= set(DRAWINGS)
    for picture in (product_picture(content.products[0], size=90), portrait("mara", size=64)):
        assert Image.open(BytesIO(picture)).format == "WEBP"
    assert portrait("mara", size=64) == portrait("mara", size=64) != portrait("jonas", size=64)

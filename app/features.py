"""The list of what this server offers. A feature is wired here, in the order of the house, and nowhere else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar.types import ASGIApp

from app import live, openapi
from app.edge import RawRoute
from community.bots import jobs as bot_jobs
from community.bots import watching as bot_watching
from community.bots.api import GroupBotApi, RoomBotApi
from community.bots.door import hear_bot
from community.bots.pages import GroupBotPages, RoomBotPages
from community.bots.webhook_doors import (
    GroupWebhookApi,
    GroupWebhookPages,
    RoomWebhookApi,
    RoomWebhookPages,
)
from community.chat import jobs as chat_jobs
from community.chat import live as chat_live
from community.chat.api import ChatApi
from community.chat.export_doors import ExportApi, ExportPages
from community.chat.file_api import FileApi, FilePages
from community.chat.list_api import RoomListApi
from community.chat.list_pages import AwayPages, MutePages
from community.chat.measures_api import MeasuresApi
from community.chat.measures_pages import MeasuresPages
from community.chat.message_api import MessageApi
from community.chat.message_pages import MessagePages
from community.chat.name_pages import NamePages
from community.chat.pages import ChatPages
from community.chat.polling import PollingPages
from community.direct import jobs as direct_jobs
from community.direct.api import DirectApi
from community.direct.pages import DirectPages
from community.direct.privacy_pages import PrivacyPages
from community.groups.api import GroupApi
from community.groups.pages import GroupPages
from community.media.api import MediaApi, show_media
from community.media.pages import AvatarPages
from community.members import jobs as member_jobs
from community.members.api import MemberApi
from community.members.pages import MemberPages
from community.moderation import jobs as moderation_jobs
from community.notifications.pages import NotificationPages
from community.phones import jobs as phone_jobs
from community.phones.api import PhoneApi
from community.phones.pages import PhonePages
from community.sessions import jobs as session_jobs
from community.sessions.api import SessionApi
from community.sessions.pages import PasswordPages, SessionPages
from community.sessions.queries import shut_out
from community.sessions.token_pages import TokenPages
from community.topics import jobs as topic_jobs
from community.topics.api import ReactionApi, TopicApi
from community.topics.pages import GroupHome, PostPages, ThreadPages, preview
from community.webhooks import jobs as webhook_jobs
from content.live_events import jobs as live_event_jobs
from content.questions import jobs as question_jobs
from content.questions.api import QuestionApi
from content.questions.pages import QuestionPages
from content.reviews import jobs as review_jobs
from content.reviews.api import ReviewApi
from content.reviews.pages import ReviewPages
from demo.shop import ShopPages
from frontend import assets
from frontend.pages import chat_cards, live_told
from frontend.pages.content_api import GuideApi, ProductApi
from frontend.pages.embed import click_script, widget_product, widget_script
from frontend.pages.embed_earn import widget_earner
from frontend.pages.flags import FlagApi, FlagPages
from frontend.pages.guides import GuidePages
from frontend.pages.home import home
from frontend.pages.live import LivePages
from frontend.pages.live_api import LiveApi
from frontend.pages.live_desk import LiveDeskPages
from frontend.pages.live_host_api import LiveHostApi
from frontend.pages.moderation import ModerationPages
from frontend.pages.product_rooms import ProductRoomApi, ProductRoomPages
from frontend.pages.products import ProductPages
from frontend.pages.profiles import show_profile
from frontend.pages.seo import feed, oembed, robots, sitemap
from frontend.viewer import viewer_of_session, viewer_of_ticket
from referrals.agreement.api import ChangeApi
from referrals.agreement.pages import ChangePages
from referrals.attribution import jobs as attribution_jobs
from referrals.attribution.api import ConversionApi, InviteApi, OverrideApi
from referrals.attribution.conversion_pages import ConversionPages
from referrals.attribution.pages import InvitePages, OverridePages, ToldPages
from referrals.books import jobs as books_jobs
from referrals.books.pages import BooksPages, DebtPages
from referrals.bounties import jobs as bounty_jobs
from referrals.bounties.api import BountyApi, StoreBountyApi
from referrals.bounties.pages import BountyPages
from referrals.campaigns import jobs as campaign_jobs
from referrals.campaigns.admin_pages import CampaignAdminPages, OverviewPages
from referrals.campaigns.api import ProgramFiguresApi
from referrals.campaigns.pages import CampaignPages
from referrals.clicks import jobs as click_jobs
from referrals.clicks import redirect, short_domains
from referrals.clicks.api import ClickApi
from referrals.clicks.pages import ConsentPages
from referrals.codes import jobs as code_jobs
from referrals.codes.api import CodeApi, MyCodeApi, ShopCodeApi
from referrals.codes.pages import CodePages
from referrals.commissions import jobs as commission_jobs
from referrals.commissions import reward_jobs
from referrals.commissions.api import QuoteApi
from referrals.commissions.pages import CommissionPages
from referrals.credit import jobs as credit_jobs
from referrals.credit.api import CreditApi, MyCreditApi
from referrals.credit.pages import CreditPages
from referrals.earn import jobs as earn_jobs
from referrals.earn import live as earn_live
from referrals.earn.api import EarnApi
from referrals.earn.goal_api import BoardApi, GoalApi
from referrals.earn.goal_pages import GoalPages
from referrals.earn.pages import EarnPages
from referrals.fraud import jobs as fraud_jobs
from referrals.fraud.api import CaseApi, CheckApi
from referrals.fraud.pages import CasePages, CheckPages
from referrals.identity import jobs as identity_jobs
from referrals.identity.api import IdentityApi, MyIdentityApi
from referrals.identity.pages import IdentityAdminPages, IdentityPages
from referrals.kit import jobs as kit_jobs
from referrals.kit.api import KitApi
from referrals.kit.pages import KitPages
from referrals.links import jobs as link_jobs
from referrals.links.api import LinkApi, PlacementApi
from referrals.links.behind import BehindPages
from referrals.links.pages import LinkPages
from referrals.links.route_pages import RoutePages
from referrals.links.store_api import StoreLinkApi
from referrals.links.store_pages import StoreLinkPages, domain_may_have_a_certificate
from referrals.objections import jobs as objection_jobs
from referrals.objections.api import ObjectionApi
from referrals.objections.pages import ObjectionPages
from referrals.partners.admin_pages import PartnerAdminPages
from referrals.partners.api import PartnershipApi
from referrals.partners.member_pages import PartnerPages
from referrals.partners.pages import RatePages
from referrals.payouts import jobs as payout_jobs
from referrals.payouts.admin_pages import PayoutAdminPages
from referrals.payouts.api import PayoutApi, PayoutMethodApi, PayoutRateApi
from referrals.payouts.pages import PayoutPages
from referrals.payouts.rates_pages import PayoutRatePages
from referrals.programs.api import ProgramApi
from referrals.programs.pages import ProgramPages
from referrals.simulator.api import CreditingApi
from referrals.simulator.pages import CreditingPages
from referrals.socials import jobs as social_jobs
from referrals.socials.api import SocialAccountApi
from referrals.socials.pages import SocialAccountPages
from referrals.statements.api import StatementApi
from referrals.statements.pages import StatementPages
from referrals.webhooks import jobs as programme_webhook_jobs
from referrals.webhooks.doors import StoreWebhookApi, StoreWebhookPages
from search import jobs as search_jobs
from search.api import SearchApi
from search.pages import search_page
from storefront.catalog import jobs as catalog_jobs
from storefront.catalog.api import CatalogApi
from storefront.connectors import jobs as connector_jobs
from storefront.connectors.api import ConnectorApi, receive_webhook
from storefront.connectors.pages import ConnectorPages
from storefront.orders import jobs as order_jobs

# Pages: cookie session, CSRF, HTML.
PAGES: list = [
    home,
    SessionPages,
    PasswordPages,
    TokenPages,
    MemberPages,
    AvatarPages,
    show_profile,
    search_page,
    NotificationPages,
    PhonePages,
    GroupPages,
    GroupHome,
    ThreadPages,
    PostPages,
    preview,
    ChatPages,
    PollingPages,
    MutePages,
    AwayPages,
    DirectPages,
    PrivacyPages,
    MessagePages,
    NamePages,
    FilePages,
    ExportPages,
    MeasuresPages,
    GroupBotPages,
    RoomBotPages,
    GroupWebhookPages,
    RoomWebhookPages,
    FlagPages,
    ModerationPages,
    ProductPages,
    ProductRoomPages,
    ReviewPages,
    QuestionPages,
    GuidePages,
    LivePages,
    LiveDeskPages,
    LinkPages,
    ConsentPages,
    RoutePages,
    BehindPages,
    StoreLinkPages,
    KitPages,
    CodePages,
    CreditPages,
    InvitePages,
    ToldPages,
    OverridePages,
    ConversionPages,
    CreditingPages,
    EarnPages,
    GoalPages,
    CasePages,
    CheckPages,
    ObjectionPages,
    StoreWebhookPages,
    ConnectorPages,
    IdentityPages,
    IdentityAdminPages,
    PayoutPages,
    PayoutAdminPages,
    PayoutRatePages,
    StatementPages,
    BooksPages,
    DebtPages,
    ChangePages,
    ProgramPages,
    CommissionPages,
    RatePages,
    PartnerPages,
    PartnerAdminPages,
    OverviewPages,
    CampaignAdminPages,
    CampaignPages,
    SocialAccountPages,
    BountyPages,
]

# JSON under /api/v1: bearer token, no cookies.
API: list = [
    MemberApi,
    SessionApi,
    MediaApi,
    PhoneApi,
    SearchApi,
    GroupApi,
    TopicApi,
    ReactionApi,
    ChatApi,
    RoomListApi,
    DirectApi,
    MessageApi,
    FileApi,
    ExportApi,
    MeasuresApi,
    GroupBotApi,
    RoomBotApi,
    GroupWebhookApi,
    RoomWebhookApi,
    FlagApi,
    CatalogApi,
    ConnectorApi,
    ProductApi,
    ProductRoomApi,
    ReviewApi,
    QuestionApi,
    GuideApi,
    LiveApi,
    LiveHostApi,
    LinkApi,
    ClickApi,
    KitApi,
    PlacementApi,
    StoreLinkApi,
    CodeApi,
    ShopCodeApi,
    MyCodeApi,
    CreditApi,
    MyCreditApi,
    SocialAccountApi,
    BountyApi,
    StoreBountyApi,
    ConversionApi,
    InviteApi,
    OverrideApi,
    CreditingApi,
    EarnApi,
    GoalApi,
    BoardApi,
    CheckApi,
    StoreWebhookApi,
    CaseApi,
    ObjectionApi,
    ProgramApi,
    ChangeApi,
    PartnershipApi,
    ProgramFiguresApi,
    QuoteApi,
    IdentityApi,
    MyIdentityApi,
    PayoutApi,
    PayoutMethodApi,
    PayoutRateApi,
    StatementApi,
]

# Doors with neither a viewer nor a form: webhooks, static files, embeds.
BARE: list = [
    assets.serve,
    show_media,
    robots,
    sitemap,
    feed,
    oembed,
    receive_webhook,
    hear_bot,
    openapi.show_problem_type,
    domain_may_have_a_certificate,
    widget_script,
    click_script,
    widget_product,
    widget_earner,
    ShopPages,
]

# Reactions to events and chores on a schedule: importing them is what wires them.
JOBS: list = [
    member_jobs,
    session_jobs,
    phone_jobs,
    moderation_jobs,
    topic_jobs,
    chat_jobs,
    direct_jobs,
    webhook_jobs,
    bot_jobs,
    catalog_jobs,
    order_jobs,
    connector_jobs,
    review_jobs,
    question_jobs,
    live_event_jobs,
    link_jobs,
    kit_jobs,
    click_jobs,
    code_jobs,
    attribution_jobs,
    commission_jobs,
    reward_jobs,
    social_jobs,
    bounty_jobs,
    credit_jobs,
    campaign_jobs,
    identity_jobs,
    payout_jobs,
    earn_jobs,
    earn_live,
    live_told,
    fraud_jobs,
    objection_jobs,
    programme_webhook_jobs,
    books_jobs,
    search_jobs,
    chat_cards,
]

# Raw ASGI routes by path prefix, for what must be fastest.
RAW_ROUTES: dict[str, RawRoute] = {redirect.PREFIX: redirect.answer, "/": short_domains.answer}

# Websockets by path.
SOCKETS: dict[str, ASGIApp] = {"/live": live.door(viewer_of_session, viewer_of_ticket)}


@asynccontextmanager
async def running() -> AsyncIterator[None]:
    """What runs beside the requests of a web process (the live hub, the click writer)."""
    async with redirect.running(), live.running(shut_out), chat_live.running(), bot_watching.running():
        yield

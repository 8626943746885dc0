"""What the JSON doors take and give, as the OpenAPI document shows it."""

from referrals.partners.schemas import (
    Application,
    Decision,
    FormTold,
    MessageList,
    MessageView,
    NewMessage,
    Partnership,
    Question,
)

question = Question("Where do you post?", "long", False)
form_told = FormTold(True, "We love people who hike.", 20, [question])
partnership = Partnership("north", "waiting", "", "", True, "We love people who hike.", [question])
application = Application(["On my own page, twice a week."])
decision = Decision("approved", "", "Gold")
new_message = NewMessage("Shall we send you the new colour?")
message = MessageView("8", True, "north", "Shall we send you the new colour?", "2026-03-14T09:26:53+00:00")
messages = MessageList([message], None)

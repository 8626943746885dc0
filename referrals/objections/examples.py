from referrals.objections.schemas import Objecting, ObjectionList, ObjectionView, StoreObjectionView, Verdict

objecting = Objecting("She bought an hour after she had read my guide; I can show the message.")
verdict = Verdict("dismiss", "Her later click was on another link. Thank you for asking.")
_of = {
    "id": "4",
    "order": "1001",
    "store": "north",
    "state": "open",
    "said": objecting.words,
    "answer": "",
    "created_at": "2026-03-14T09:26:53+00:00",
    "due_at": "2026-03-21T09:26:53+00:00",
}
objection = ObjectionView(**_of)
decided = StoreObjectionView(**_of | {"state": "dismissed", "answer": verdict.words}, member="mara", winner="ada")
objections = ObjectionList([StoreObjectionView(**_of, member="mara", winner="ada")], None)

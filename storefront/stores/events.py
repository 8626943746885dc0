from app.events import Event


class StoreOpened(Event):
    store_id: int

from app.events import Event


class QuestionAsked(Event):
    question_id: int
    product_id: int


class QuestionAnswered(Event):
    answer_id: int
    question_id: int

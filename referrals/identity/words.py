from app.i18n import gettext as _


def document_words(document: str) -> str:
    return {
        "passport": _("Passport"),
        "id_card": _("Identity card"),
        "residence_permit": _("Residence permit"),
        "driving_licence": _("Driving licence"),
        "company_register": _("Extract of a company register"),
        "provider": _("A provider that checks identities"),
    }.get(document, document)


def result_words(result: str) -> str:
    return {
        "checked": _("Identity checked"),
        "refused": _("Not accepted"),
        "withdrawn": _("Withdrawn"),
        "expired": _("Expired"),
        "asked": _("Asked"),
    }.get(result, result)

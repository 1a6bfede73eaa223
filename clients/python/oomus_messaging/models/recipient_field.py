from enum import StrEnum


class RecipientField(StrEnum):
    CARD_CODE = "card_code"
    CARD_GENERATED_AT = "card_generated_at"
    CARD_IMAGE = "card_image"
    CONSENT = "consent"
    ENROLLMENT_ID = "enrollment_id"
    FIRST_NAME = "first_name"
    ISSUE_DATE = "issue_date"
    LANGUAGE = "language"
    LAST_NAME = "last_name"
    PHONE = "phone"
    PROGRAMME_NAME = "programme_name"
    VERIFICATION_URL = "verification_url"

    def __str__(self) -> str:
        return str(self.value)

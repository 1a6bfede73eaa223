from enum import StrEnum


class StatusReason(StrEnum):
    ACCOUNT_RESTRICTED = "account_restricted"
    BALANCE_EMPTY = "balance_empty"
    CARDS_UNAVAILABLE = "cards_unavailable"
    CONTRACT_EXPIRED = "contract_expired"
    COUNTRY_NOT_SUBSCRIBED = "country_not_subscribed"
    DAILY_LIMIT = "daily_limit"
    EXPIRED = "expired"
    FILE_UNREADABLE = "file_unreadable"
    PAUSED_BY_USER = "paused_by_user"
    PAYMENT_REQUIRED = "payment_required"
    PERMISSION_MISSING = "permission_missing"
    PROVIDER_DOWN = "provider_down"
    SENDER_NAME_NOT_APPROVED = "sender_name_not_approved"
    TEMPLATE_DISABLED = "template_disabled"
    TEMPLATE_PAUSED = "template_paused"
    TEMPLATE_RECATEGORISED = "template_recategorised"
    TOKEN_INVALID = "token_invalid"

    def __str__(self) -> str:
        return str(self.value)

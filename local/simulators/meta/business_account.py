"""A WhatsApp Business Account as a Graph object. It is of another kind than its phone numbers."""

PHONE_NUMBER, ACCOUNT = "WhatsAppBusinessPhoneNumber", "WhatsAppBusinessAccount"
DEFAULT_FIELDS = "id,name,currency,timezone_id,message_template_namespace"
EMPTY_FIELDS = frozenset(
    {
        "disable_marketing_messages_on_cloud_api",
        "linked_commerce_account",
        "marketing_messages_lite_api_status",
        "marketing_messages_onboarding_status",
        "on_behalf_of_business_info",
        "owner_business",
        "owner_business_info",
        "primary_business_location",
        "primary_funding_id",
        "purchase_order_number",
    }
)
"""Fields of an account that are empty here."""


def account_fields(account: str, apps: list[object], can_send: str) -> dict[str, object]:
    """Return every field with a value. `apps` are the apps that receive the account's webhooks."""
    return {
        "id": account,
        "name": "Programme de santé (simulateur)",
        "currency": "USD",
        "timezone_id": "1",
        "message_template_namespace": f"{int(account):032x}"[-32:],
        "account_review_status": "APPROVED",
        "business_verification_status": "verified",
        "country": "SN",
        "is_enabled_for_insights": True,
        "ownership_type": "SELF",
        "status": "ACTIVE",
        "subscribed_apps": {"data": apps},
        "health_status": {
            "can_send_message": can_send,
            "entities": [{"entity_type": "WABA", "id": account, "can_send_message": can_send}],
        },
    }


def app() -> dict[str, object]:
    """The app that receives the webhooks, as Graph shows it."""
    return {"whatsapp_business_api_data": {"id": "1", "name": "Simulated app", "link": "http://127.0.0.1/"}}

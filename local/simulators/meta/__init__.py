"""The simulator of the WhatsApp Cloud API v25.0, as reference/whatsapp.md describes it."""

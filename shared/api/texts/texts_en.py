"""English texts. A text is a row of sentences. A sentence whose placeholders have no fact is left out
(`sentences.py`)."""

from shared.api.texts import sheets
from shared.api.texts.sentences import Sentences, TextKind
from shared.recipients.countries import covered_sentence

_COUNTRIES = covered_sentence("en")

TEXTS: dict[TextKind, dict[str, Sentences]] = {
    TextKind.PROBLEM_TITLE: {
        "bad_request": ("The request cannot be read",),
        "forbidden": ("Not permitted",),
        "not_found": ("Not found",),
        "idempotency_key_missing": ("The Idempotency-Key header is missing",),
        "idempotency_key_reused": ("This key was used for another request",),
        "idempotency_in_progress": ("Still in progress",),
        "integration_missing": ("The channel is not set up",),
        "template_missing": ("There is no template to send",),
        "quiet_hours": ("Quiet hours",),
        "upload_missing": ("The file has not arrived",),
        "use_upload": ("Too many recipients for one request",),
        "state_conflict": ("Not possible in this state",),
        "provider_refused": ("{Provider} refused",),
        "too_large": ("Too large",),
        "unsupported_media_type": ("Wrong content type",),
        "unprocessable": ("The content cannot be accepted",),
        "rate_limited": ("Too many requests",),
    },
    TextKind.PROBLEM_DETAIL: {
        "rate_limited": (
            "You have sent this request too often within a minute. Nothing was done.",
            "Wait {retry_after} s and try again.",
            "You may look up at most 60 people in a minute, one at a time.",
        ),
        "bad_request": (
            "The request was not understood. Nothing was done.",
            "Correct what is listed under errors and send it again.",
        ),
        "forbidden": (
            "Your account is not allowed to do this.",
            "It needs the permission {scope}.",
            "Ask the administrator of your organisation.",
        ),
        "not_found": ("It does not exist, or it belongs to another organisation.", "Check the address."),
        "idempotency_key_missing": (
            "This request needs an Idempotency-Key header, so that a repeated request sends nothing twice.",
            "Use 1 to 255 visible ASCII characters, and a new key for each new request.",
        ),
        "idempotency_key_reused": (
            "An earlier request with this Idempotency-Key had other content. Only the earlier request counts.",
            "Use a new key for a new request.",
        ),
        "idempotency_in_progress": (
            "An earlier request with this Idempotency-Key is not finished.",
            "Send the same request again in a few seconds. Nothing will be sent twice.",
        ),
        "integration_missing": (
            "The settings needed for this are missing.",
            "Missing: {integration}.",
            "An administrator can enter them under Settings > Integrations.",
        ),
        "template_missing": (
            "A WhatsApp test message needs an approved template, and no default template is set.",
            "Choose one under Settings > Integrations > WhatsApp.",
        ),
        "quiet_hours": (
            "No SMS is sent between 21:00 and 07:00, the recipient's local time.",
            "Try again from {opens_at}.",
            "Nothing was sent.",
        ),
        "upload_missing": (
            "The file of this upload is missing: it was never uploaded to its address, or it has expired.",
            "Upload the file again, then create the distribution.",
        ),
        "use_upload": (
            "One request may have up to 5,000 recipients and 4 MB.",
            "Upload the list as a file (POST /v1/uploads) and give its upload_id in the distribution.",
        ),
        "state_conflict": (
            "This is not possible in the present state. Nothing was changed.",
            "The present status: {status}.",
            "It is too late: {too_late}.",
            "The content of the message is no longer stored ({gone}): send a new message.",
            "{exports_wait} exports of your organisation are not done yet: wait until one is.",
            "Another message was sent in its place: {successor}. If that one failed too, send that one again.",
            "{retry}.",
            "{advice}",
            "Reload the page and choose an action that is still possible.",
        ),
        "provider_refused": (
            "{Provider} refused the request.",
            "{advice}",
            "The code from {provider}: {provider_code}.",
        ),
        "too_large": ("The request is too large.", "The limit is {limit}.", "Send less at once."),
        "unsupported_media_type": (
            "Only JSON is accepted here.",
            "Send it as UTF-8 with the header Content-Type: application/json.",
        ),
        "unprocessable": (
            "The request was understood, but its content cannot be accepted. Nothing was sent.",
            "Correct what is listed under errors and send it again.",
        ),
    },
    TextKind.FIELD: {
        "phone_missing": ("There is no phone number.", "Enter the beneficiary's mobile number."),
        "phone_invalid": ("This cannot be a phone number.", "Check the digits, or write it with +country code."),
        "phone_obsolete": (
            "This number has an old form that no longer works, because the country has changed its numbers.",
            "Ask the beneficiary for the new number.",
        ),
        "phone_not_mobile": ("This is not a mobile number.", "Enter a mobile number: a landline receives nothing."),
        "phone_several": ("There is more than one phone number in the field.", "Keep one."),
        "sender_missing": (
            "No Orange sender address is set for the country of this number.",
            "Country: {country}.",
            "Ask Orange for the address and enter it under Settings > Integrations > SMS, then send again.",
        ),
        "country_not_covered": (
            f"Numbers of this country are not covered: messages go to {_COUNTRIES}.",
            "The number's country: {country}.",
        ),
        "consent_missing": (
            "The beneficiary's consent is not recorded, and WhatsApp needs it.",
            "Record it, or send by SMS.",
        ),
        "opted_out": (
            "The beneficiary asked not to receive messages any more.",
            "Do not send, unless the person agrees again and you record it.",
        ),
        "variable_unknown": (
            "The text uses a variable that does not exist.",
            "The variable: {{{name}}}.",
            "Possible variables: first_name, last_name, card_code, programme_name, issue_date and verification_url.",
        ),
        "variable_missing": (
            "The text needs a value that this beneficiary does not have.",
            "Missing: {name}.",
            "Fill it in, or remove the variable from the text.",
        ),
        "template_unknown": (
            "This template does not exist in this language.",
            "Its name: {name}.",
            "Choose one from the list of templates.",
        ),
        "template_not_approved": (
            "Meta does not accept this template at the moment.",
            "The template: {name}.",
            "Meta is reviewing it ({review_hours} hours): wait for the approval.",
            "Meta has {stopped} it: look for the cause in WhatsApp Manager.",
            "You can choose another template.",
        ),
        "template_not_submitted": (
            "Meta does not have this template: it was never submitted, or it was deleted.",
            "The template: {name}.",
            "Ask an administrator to submit it from the list of templates (the review takes 24 to 72 hours), "
            "or choose another template.",
        ),
        "template_required": (
            "WhatsApp accepts a free text only within 24 hours after the beneficiary's own message.",
            "Choose an approved template.",
        ),
        "text_too_long": (
            "The text is too long.",
            "The limit is {limit} (parts of an SMS, or characters on WhatsApp).",
            "Shorten it.",
        ),
        "text_empty": ("The text is empty.", "Write a message, or choose a template."),
        "card_missing": ("There is no card image, and WhatsApp needs one.", "Add the card, or send by SMS."),
        "card_host_not_allowed": (
            "The card image is at an address that is not allowed.",
            "Allowed: {hosts}.",
            "An s3:// key begins with your organisation's ID and a slash.",
            "Use an allowed address, or ask the technical team to add this one.",
        ),
        "card_url_invalid": (
            "The address of the card image cannot be used.",
            "It must be s3://bucket/key or https://host/path.",
        ),
        "dhis2_attribute_missing": (
            "A required attribute is missing in the DHIS2 record.",
            "Its UID: {attribute}.",
            "Enter it in DHIS2, or correct the mapping under Settings > Integrations > DHIS2.",
        ),
        "dhis2_not_active": (
            "Nothing is sent for this DHIS2 record: it is not active, or it belongs to another programme.",
            "Its UID: {record}.",
            "In DHIS2 it is {state}.",
            "Its programme is {program}: the mapping names another one.",
            "Leave it out, or correct it in DHIS2 (the mapping is under Settings > Integrations > DHIS2) "
            "and export again.",
        ),
        "send_at_past": ("The time is in the past.", "Choose a later one, or leave it out to send now."),
        "fallback_invalid": (
            "The fallback cannot be used. It goes from WhatsApp to SMS, needs a text or a template that exists as SMS, "
            "and is sent between 1 minute and 7 days (10,080 minutes) after the message.",
            "Correct it, or remove it.",
        ),
        "row_unreadable": (
            "The row cannot be read.",
            "{unread}.",
        ),
        "encoding_unknown": (
            "Letters of the file cannot be read: it is neither UTF-8 nor UTF-16 nor Windows-1252.",
            "The first of them is in line {line}.",
            "In Excel, choose “Save as”, then “CSV UTF-8” or “Excel workbook (.xlsx)”, and upload the new file.",
        ),
        "header_missing": (
            "The file has no line of titles.",
            "Line {line} holds data already.",
            "Add a line with the names of the columns above it, for example: Phone, First name, Last name.",
        ),
        "phone_column_missing": (
            "No column has a title that names the phone.",
            "Columns found in line {line}: {columns}.",
            "Call the column with the numbers “Phone”, and upload the file again.",
        ),
        "column_twice": (
            "Two columns name the same thing: it is not known which one to take.",
            "They are: {columns}.",
            "Keep one of them, or give the other one another title.",
        ),
        "quote_unclosed": (
            "A quotation mark is opened and never closed: what follows cannot be told apart into rows.",
            "It is opened in line {line}.",
            "Close it or remove it, and upload the file again.",
        ),
        "file_empty": (
            "The file holds no row of data.",
            "Make sure that you saved the right sheet, and upload the file again.",
        ),
        "not_this_format": (
            "The file cannot be read as the format that was named.",
            "The format named: {format}.",
            "The file seems to be {looks_like}.",
            "Line: {line}.",
            "Records read before the error: {rows}.",
            "Why: {why}.",
        ),
        "field_unknown": (
            "This field does not exist here.",
            "Its name: {name}.",
            "Remove it, or correct its name.",
        ),
        "field_invalid": (
            "The value cannot be used.",
            "The field {missing} is needed.",
            "Only one of {only_one_of} may be given.",
            "It should be {type}.",
            "It should be {format}.",
            "It should be one of {allowed}.",
            "It should be {pattern}.",
            "It should be at least {minimum}.",
            "It should be at most {maximum}.",
            "A consent cannot have a date in the future: the latest is {latest}. "
            "Check that day and month are not swapped.",
            "There should be at least {least}.",
            "There should be at most {most}.",
            "It must not be before the field {before}.",
            "It is only for exports of {only_for}.",
            "{retry}.",
        ),
    },
    TextKind.REASON: {
        "card_unreachable": (
            "The card image could not be fetched.",
            "Check that it exists and that we have access to it.",
        ),
        "card_not_a_picture": ("The card is not a PNG or JPEG picture.", "Make the card again and resend."),
        "card_too_large": ("The card image is larger than 5 MB.", "Make a smaller one and resend."),
        "not_on_whatsapp": ("The number has no WhatsApp, or refuses these messages.", "Send by SMS."),
        "undeliverable": ("The network could not deliver the message.", "Check the number, or try again later."),
        "outcome_unknown": (
            "The connection broke during sending, so we do not know whether the message was sent.",
            "Ask the beneficiary before you resend it.",
        ),
        "provider_rejected": (
            "{Provider} rejected the message.",
            "Tell the technical team: they must check the content.",
        ),
        "experiment_withheld": (
            "Meta did not deliver the message, because of an experiment of its own.",
            "Send by SMS.",
        ),
        "already_sent": (
            "The campaign has already sent this card to this beneficiary, or will send it soon.",
            "You need not do anything. If the card does not arrive, resend this message.",
        ),
        "cancelled": (
            "The message was cancelled before it was sent: by a person, with its distribution, or because the message "
            "that it was to replace has arrived.",
            "You need not do anything. If it should go after all, send it again.",
        ),
        "expired": ("The message waited too long and was not sent.", "Send it again if it is still useful."),
        "erased": ("The beneficiary's data were erased. Nothing was sent.",),
        "receipt_missing": (
            "The network has sent no delivery receipt for 48 hours.",
            "The message may have arrived anyway.",
        ),
    },
    TextKind.DEAD_LETTER: {
        "copy_unreadable": (
            "The message in the queue could not be read.",
            "Redrive it: it is made again from its stored content.",
        ),
        "handling_failed": (
            "Our own system failed each time it handled the message.",
            "Redrive it once the technical team has repaired the fault.",
        ),
    },
    TextKind.STATUS_REASON: {
        "token_invalid": (
            "{Provider} no longer accepts the credentials.",
            "Enter new ones under Settings > Integrations. Sending is then tried again at once.",
        ),
        "permission_missing": (
            "The credentials lack a permission that sending needs.",
            "Grant it at Meta, then resume. Sending is then tried again at once.",
        ),
        "account_restricted": (
            "{Provider} has restricted or blocked the account.",
            "Solve this with {provider}. Sending then continues by itself, or at once when you resume.",
        ),
        "payment_required": (
            "Meta asks for a payment.",
            "Pay in Meta Business Manager. Sending then continues by itself, or at once when you resume.",
        ),
        "balance_empty": ("The SMS balance is used up.", "Buy units at Orange. Sending then continues by itself."),
        "contract_expired": ("The SMS contract has expired.", "Renew it at Orange. Sending then continues by itself."),
        "cards_unavailable": (
            "The card pictures of one server cannot be fetched: it sends an error or a web page, or does not answer.",
            "Have the server repaired or the links renewed. Sending continues by itself once a card can be fetched.",
        ),
        "country_not_subscribed": (
            "The account may not send messages to this country.",
            "Subscribe to the country with {provider}, or ask {provider} to open it, then resume.",
        ),
        "sender_name_not_approved": (
            "Orange has not approved the sender name.",
            "Have it approved, or change it under Settings > Integrations > SMS, then resume.",
        ),
        "template_paused": (
            "Meta has paused the template because of its quality.",
            "Wait until Meta lifts the pause, or use another template.",
        ),
        "template_disabled": ("Meta has disabled the template.", "Use another template."),
        "template_recategorised": (
            "Meta has moved the template out of the Utility category.",
            "Appeal in WhatsApp Manager, or use another template.",
        ),
        "daily_limit": (
            "You have reached the number of people that Meta lets you contact in a day.",
            "Sending continues by itself when the limit allows it.",
        ),
        "provider_down": ("{Provider} does not answer.", "Sending continues when it answers again."),
        "paused_by_user": ("A person in your organisation paused it.", "Resume it to continue."),
        "expired": ("It was not confirmed within 7 days.", "Create the distribution again."),
        "file_unreadable": (
            "The file could not be read; nothing was sent.",
            "The errors of the distribution say why and where. Mend the file, and upload it again.",
        ),
    },
    TextKind.COLUMN: sheets.COLUMNS["en"],
    TextKind.TERM: sheets.TERMS["en"],
    TextKind.WARNING: {
        "ucs2": (
            "Some characters make an SMS hold 70 characters instead of 160, so it costs more.",
            "Messages concerned: {count}.",
            'Replace them, or choose "gsm7".',
        ),
        "characters_removed": (
            "Some values, or the text, had characters that no message can carry. They were removed.",
            "Messages concerned: {count}.",
            "Check these values in the preview, and correct them at their source.",
        ),
        "language_fallback": (
            "Some languages are neither French nor English: these recipients get the default language, or French.",
            "Messages concerned: {count}.",
            "Check the column of the language.",
        ),
        "units_insufficient": (
            "The SMS balance may not be enough for all messages.",
            "Country: {country}.",
            "Needed: {needed}.",
            "Available: {available}.",
            "Buy units before you confirm.",
        ),
        "units_missing": (
            "For some countries of the list, SMS units or their price are missing.",
            "No units are left for: {without_units}. Buy units; until then their messages wait.",
            "No price is set for: {unpriced}. Enter the price of your contract under Settings > Integrations > SMS; "
            "until then their cost is not known.",
            "Messages concerned: {count}.",
        ),
        "daily_limit_exceeded": (
            "There are more recipients than Meta lets you contact in a day, so sending will take several days.",
            "The daily limit: {limit}.",
        ),
        "cards_older_than_24h": (
            "Some cards were made more than 24 hours ago.",
            "Cards concerned: {count}.",
            "Beneficiaries should receive them within a day.",
        ),
        "cards_unreachable": (
            "Some cards cannot be fetched, or are not pictures.",
            "Cards tried: {tried}.",
            "Cards concerned: {count}.",
            "Before you confirm, check that they exist, that their links are valid and that we have access to them.",
        ),
        "peak_hours": (
            "More than 10,000 SMS in peak hours may be slow.",
            "Choose off-peak if they can wait.",
        ),
        "unknown_columns": (
            "The file has columns that are not used.",
            "The columns: {columns}.",
            "Check their names if you need them.",
        ),
        "lines_skipped": (
            "Lines above the titles of the columns were not read.",
            "Lines concerned: {count}.",
            "Make sure that none of them holds a recipient.",
        ),
        "pages_missing": (
            "The file holds only a part of the list: DHIS2 says that there are more pages.",
            "Records read: {read}.",
            "Records in DHIS2: {total}.",
            "Export the whole list (paging=false), or all its pages, before you confirm.",
        ),
        "sender_name_narrow": (
            "Orange may not accept this sender name in every country.",
            "Have it approved there before a campaign.",
        ),
        "template_status_unknown": (
            "Meta did not answer about the template or the limit, so this was not checked.",
            "Sending continues.",
        ),
        "fallback_invalid": (
            "Some messages will have no fallback: their SMS cannot be composed, or cannot be sent to their country.",
            "Messages concerned: {count}.",
        ),
        "receipts_missing": (
            "Meta reports nothing at present, so we do not know which messages arrived.",
            "Messages concerned: {count}.",
            "Their SMS fallback waits until Meta reports again, for 24 hours at most. You need not do anything.",
        ),
        "gsm7_not_possible": (
            "The text has letters that a plain SMS cannot contain, so it stays in the longer form.",
            "Messages concerned: {count}.",
        ),
    },
}

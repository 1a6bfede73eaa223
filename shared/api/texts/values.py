"""A sentence for each value of the OpenAPI document's closed sets, by the name of the set, for the page at /docs. The
sets of api.md's "Codes" are in `texts_en.py` and `texts_fr.py`."""

from collections.abc import Mapping

from shared.api.texts.sentences import Language
from shared.recipients.countries import COVERED

type _Said = Mapping[Language, str]


def _said(english: str, french: str) -> _Said:
    return {"en": english, "fr": french}


VALUES: Mapping[str, Mapping[str, _Said]] = {
    "Channel": {
        "whatsapp": _said("WhatsApp, through Meta.", "WhatsApp, par Meta."),
        "sms": _said("SMS, through Orange.", "SMS, par Orange."),
    },
    "Language": {"fr": _said("French.", "Français."), "en": _said("English.", "Anglais.")},
    "Country": {code: _said(f"{country.name_en}.", f"{country.name_fr}.") for code, country in COVERED.items()},
    "MessageStatus": {
        "pending": _said(
            "It is still to be sent: it waits for its turn, its time or the end of a hold.",
            "Il reste à envoyer : il attend son tour, son heure ou la fin d’un blocage.",
        ),
        "sent": _said("The provider has taken it.", "Meta ou Orange l’a accepté."),
        "delivered": _said("It is on the person's phone.", "Il est arrivé sur le téléphone de la personne."),
        "read": _said("The person has opened it (WhatsApp only).", "La personne l’a ouvert (WhatsApp seulement)."),
        "failed": _said(
            "It was not sent or did not arrive; `reason_text` says why. Proof of arrival that comes later lifts it.",
            "Il n’est pas parti ou n’est pas arrivé ; `reason_text` dit pourquoi. Une preuve de remise plus tardive "
            "corrige ce statut.",
        ),
    },
    "DistributionStatus": {
        "planning": _said("Its list is being checked.", "Sa liste est en cours de vérification."),
        "planned": _said(
            "It is ready and waits for a person's confirmation, seven days at most.",
            "Elle est prête et attend la confirmation d’une personne, sept jours au plus.",
        ),
        "scheduled": _said("It is confirmed and waits for its time.", "Elle est confirmée et attend son heure."),
        "sending": _said("Its messages are being sent.", "Ses messages sont en cours d’envoi."),
        "paused": _said(
            "Nothing of it is sent: a person has paused it, or nothing but held messages is left.",
            "Rien n’en part : une personne l’a mise en pause, ou il ne reste que des messages bloqués.",
        ),
        "completed": _said("All its messages have an outcome.", "Tous ses messages ont un résultat."),
        "rejected": _said(
            "No row could be accepted; `errors` says why.", "Aucune ligne n’a été acceptée ; `errors` dit pourquoi."
        ),
        "cancelled": _said(
            "It was cancelled, or not confirmed in time. What had not gone is not sent.",
            "Elle a été annulée, ou n’a pas été confirmée à temps. Ce qui n’était pas parti n’est pas envoyé.",
        ),
    },
    "Via": {
        "distribution": _said("A row of a distribution.", "Une ligne d’une distribution."),
        "single": _said("A message of its own.", "Un message envoyé seul."),
        "test": _said("A test of the settings.", "Un test des paramètres."),
        "fallback": _said(
            "The SMS in place of a WhatsApp message that did not arrive.",
            "Le SMS qui remplace un message WhatsApp non arrivé.",
        ),
        "resend": _said("A failed message, sent again.", "Un message en échec, renvoyé."),
        "reply": _said("Our answer to a person who wrote STOP.", "Notre réponse à une personne qui a écrit STOP."),
    },
    "MessageMode": {
        "template": _said("A template that Meta has approved.", "Un modèle approuvé par Meta."),
        "session": _said(
            "A free text in the 24 hours after the person wrote on WhatsApp.",
            "Un texte libre, dans les 24 heures après un message WhatsApp de la personne.",
        ),
        "sms": _said("An SMS.", "Un SMS."),
    },
    "SmsEncoding": {
        "exact": _said(
            "Every letter stays. One that a plain SMS lacks leaves 70 characters in a segment instead of 160.",
            "Chaque lettre reste. Une lettre absente d’un SMS simple réduit un segment de 160 à 70 caractères.",
        ),
        "gsm7": _said(
            "Letters that a plain SMS lacks are replaced (ê by e).",
            "Les lettres absentes d’un SMS simple sont remplacées (ê par e).",
        ),
    },
    "TextEncoding": {
        "gsm7": _said(
            "160 characters in a segment; 153 if there are several.", "160 caractères, 153 s’il y en a plus."
        ),
        "ucs2": _said("70 characters in a segment; 67 if there are several.", "70 caractères, 67 s’il y en a plus."),
    },
    "UploadFormat": {
        "csv": _said("A table as text, with a line of titles.", "Un tableau en texte, avec une ligne de titres."),
        "xlsx": _said(
            "An Excel workbook; its first sheet is read.", "Un classeur Excel ; la première feuille est lue."
        ),
        "ndjson": _said("A recipient in JSON on each line.", "Un bénéficiaire en JSON par ligne."),
        "dhis2": _said("What DHIS2's tracker API answers.", "Les réponses de l’API tracker de DHIS2."),
    },
    "RecipientField": {
        "phone": _said("The mobile number.", "Le numéro mobile."),
        "first_name": _said("The first name.", "Le prénom."),
        "last_name": _said("The last name.", "Le nom."),
        "card_code": _said("The code on the card.", "Le code de la carte."),
        "programme_name": _said("The programme's name.", "Le nom du programme."),
        "issue_date": _said("The card's date, shown as it is written.", "La date de la carte, montrée telle quelle."),
        "verification_url": _said("The address that verifies the card.", "L’adresse de vérification de la carte."),
        "card_image": _said("The address of the card's picture.", "L’adresse de l’image de la carte."),
        "enrollment_id": _said("The enrolment's ID.", "L’identifiant de l’inscription."),
        "language": _said("The language of the message.", "La langue du message."),
        "card_generated_at": _said("When the card was made.", "Quand la carte a été créée."),
        "consent": _said(
            "Whether the person agreed to be written to.", "Si la personne accepte de recevoir des messages."
        ),
    },
    "ScheduleMode": {
        "auto": _said(
            "Now; with more than 10,000 SMS, off-peak.", "Tout de suite ; au-delà de 10 000 SMS, aux heures creuses."
        ),
        "now": _said("Now.", "Tout de suite."),
        "off_peak": _said("In the hours outside `peak_hours`.", "Hors des heures de pointe (`peak_hours`)."),
        "at": _said("From the time `at` on.", "À partir de l’heure `at`."),
    },
    "HoldScope": {
        "country": _said("The messages to one country.", "Les messages vers un pays."),
        "template": _said(
            "The messages with one template in one language.", "Les messages d’un modèle dans une langue."
        ),
        "cards": _said(
            "The messages whose cards are on one host.", "Les messages dont les cartes sont sur un serveur."
        ),
        "account": _said("All messages of the channel.", "Tous les messages du canal."),
        "brake": _said("Everything: the operator has stopped sending.", "Tout : l’exploitant a arrêté l’envoi."),
    },
    "ExportKind": {
        "messages": _said("Messages of the log.", "Les messages du journal."),
        "rejected_rows": _said("A distribution's rejected rows.", "Les lignes rejetées d’une distribution."),
        "duplicates": _said("A distribution's duplicates.", "Les doublons d’une distribution."),
    },
    "ExportStatus": {
        "running": _said("It is being made, or waits for its turn.", "Il est en cours, ou attend son tour."),
        "done": _said("The file is ready.", "Le fichier est prêt."),
        "failed": _said("It could not be made: ask again.", "Il n’a pas pu être fait : redemandez-le."),
    },
    "ConsentStatus": {
        "granted": _said("The person has agreed.", "La personne a accepté."),
        "revoked": _said(
            "The person wants no messages: nothing is sent.", "La personne ne veut plus de messages : rien ne part."
        ),
        "unknown": _said("Nothing is recorded.", "Rien n’est enregistré."),
    },
    "TemplateOrigin": {
        "ready": _said("One of ours.", "Un de nos modèles."),
        "own": _said("The organisation's own at Meta.", "Un modèle de l’organisation chez Meta."),
    },
    "TemplateStatus": {
        "not_submitted": _said(
            "Meta does not have it: an administrator submits it.", "Meta ne l’a pas : un administrateur le soumet."
        ),
        "pending": _said("Meta reviews it, 24 to 72 hours.", "Meta l’examine, de 24 à 72 heures."),
        "approved": _said("It can be used.", "Il peut être utilisé."),
        "rejected": _said("Meta has refused it: see WhatsApp Manager.", "Meta l’a refusé : voir WhatsApp Manager."),
        "paused": _said("Meta has paused it for its quality.", "Meta l’a suspendu à cause de sa qualité."),
        "disabled": _said("Meta has disabled it: use another one.", "Meta l’a désactivé : utilisez-en un autre."),
    },
    "UseCase": {
        "vaccination": _said("Vaccination cards.", "Cartes de vaccination."),
        "nutrition": _said("Nutrition cards.", "Cartes de nutrition."),
        "insurance": _said("Insurance cards.", "Cartes d’assurance."),
    },
}

"""Health as api.md shows it, with its sentences in both languages."""

from collections.abc import Mapping

from shared.api.documents import Document
from shared.api.texts.sentences import Language, Sentences, dated, filled_in, named_provider
from shared.integrations.balances import Balance
from shared.integrations.health import Check, Health
from shared.texts.templates import Usable


def document(health: Health, language: Language, provider: str) -> Document:
    """The findings in the reader's language, with the figures. `provider`: the provider or the channel that was
    examined."""
    templates, balances = health.templates, health.balances
    return {
        "ok": health.ok,
        "checks": [_check(check, language, provider) for check in health.checks],
        "sender": health.sender,
        "quality": health.quality,
        "daily_limit": health.daily_limit,
        "used_24h": health.used_24h,
        "templates": [_template(one) for one in templates] if templates is not None else None,
        "balances": [_balance(one) for one in balances] if balances is not None else None,
    }


def _check(check: Check, language: Language, provider: str) -> Document:
    detail, remedy = finding(check.name, check.code, language)
    facts = {name: dated(name, value, language) for name, value in check.facts.items() if value}
    facts |= named_provider(provider, language)
    return {
        "name": check.name,
        "ok": check.ok,
        "detail": filled_in(detail, facts),
        "remedy": filled_in(remedy, facts) or None,
    }


def _template(one: Usable) -> Document:
    return {"name": one.name, "language": one.language, "status": one.status}


def _balance(one: Balance) -> Document:
    return {"country": one.country, "units": one.units, "expires_at": one.expires_at}


# What health tells the administrator, in both languages: for each check and finding, the situation and where to repair
# it.
#
# A sentence with a fact that is absent or empty is left out, as in the other texts. No second part: nothing to repair.


type Finding = tuple[Sentences, Sentences]

_SETTINGS_EN = "Settings > Integrations > WhatsApp"

_SETTINGS_FR = "Paramètres > Intégrations > WhatsApp"

_EN: Mapping[str, Finding] = {
    "token.fine": (("The credentials are accepted.",), ()),
    "token.token_invalid": (
        ("{Provider} refuses the credentials.", "Its code: {provider_code}."),
        ("Enter new ones under Settings > Integrations, then look here again.",),
    ),
    "token.permission_missing": (
        (
            "The credentials do not give access to this, or the ID of the number or the client is wrong.",
            "The code from {provider}: {provider_code}.",
        ),
        (
            "WhatsApp: give the system user whatsapp_business_messaging and whatsapp_business_management, and check "
            "the Phone Number ID. SMS: check the application's API subscription at Orange.",
        ),
    ),
    "number.fine": (("The sender number is connected.", "It is {number}."), ()),
    "number.unverified": (
        ("The sender number is not verified.", "It is {number}."),
        ("Verify it in WhatsApp Manager > Phone numbers.",),
    ),
    "verified_name.fine": (("Recipients see the name {name}.",), ()),
    "verified_name.absent": (
        ("Meta shows no verified name for the number.",),
        ("Set a display name in WhatsApp Manager > Phone numbers.",),
    ),
    "verified_name.not_approved": (
        ("Meta has not approved the display name {name}.", "Its state: {status}."),
        ("Correct it in WhatsApp Manager > Phone numbers, or wait for the review.",),
    ),
    "quality.fine": (("Meta rates the number's quality as high.",), ()),
    "quality.yellow": (("Meta rates the number's quality as medium: people have blocked or reported it.",), ()),
    "quality.unrated": (("Meta has not rated the number's quality yet.",), ()),
    "quality.red": (
        ("Meta rates the number's quality as low: many people have blocked or reported it.",),
        ("Write only to people who expect a card. Meta may lower the limit or block the number.",),
    ),
    "limit.fine": (
        ("Meta lets you contact {limit} people in 24 hours outside their sessions.", "Used: {used}."),
        (),
    ),
    "limit.unlimited": (("Meta does not limit the number of people in 24 hours.", "People contacted: {used}."), ()),
    "limit.untold": (
        ("Meta does not say how many people you may contact in 24 hours.", "People contacted: {used}."),
        (),
    ),
    "limit.reached": (
        ("You have reached the number of people that Meta allows in 24 hours: {used} of {limit}.",),
        ("Sending continues by itself, hour by hour. To raise the limit, have the business verified at Meta.",),
    ),
    "templates.fine": (("Approved templates: {count}.",), ()),
    "templates.account_unnamed": (
        ("The status of the templates cannot be read: the WhatsApp Business Account ID is missing.",),
        (f"Enter business_account_id under {_SETTINGS_EN}.",),
    ),
    "templates.none_approved": (
        ("Meta has approved no template that can be used here.",),
        ("Submit the ready-made ones under Templates. Meta's review takes 24 to 72 hours.",),
    ),
    "templates.stopped": (
        ("Meta has paused or disabled templates: {names}.",),
        ("Look at them in WhatsApp Manager > Message templates, or use others.",),
    ),
    "templates.default_not_approved": (
        ("The default template {name} is not approved.",),
        (f"Submit it under Templates, or choose another one under {_SETTINGS_EN}.",),
    ),
    "webhook.fine": (
        (
            "Meta's reports can be verified, and the account is subscribed to an app. They go to the address in that "
            "app: if it is another organisation's address, that organisation gets the reports of your messages.",
        ),
        (),
    ),
    "webhook.app_secret_missing": (
        ("Delivery reports are refused: without the app secret, nothing proves that they come from Meta.",),
        (f"Enter app_secret under {_SETTINGS_EN}.",),
    ),
    "webhook.account_unnamed": (
        (
            "The WhatsApp Business Account ID is missing. So we cannot know whether Meta's notices about templates, "
            "the account, its limits and its number are about your account, and we ignore them. We cannot check the "
            "subscription to the reports either.",
        ),
        (f"Enter business_account_id under {_SETTINGS_EN}.",),
    ),
    "webhook.not_subscribed": (
        ("No app is subscribed to the account, so delivery reports do not come.",),
        (
            "Enter the webhook's address and verify token in the app's dashboard, subscribe to messages, and subscribe "
            "the app to the account (POST /<business_account_id>/subscribed_apps).",
        ),
    ),
    "account.fine": (("The account may send.",), ()),
    "account.limited": (("The account may send, with limits.", "Meta says: {words}"), ()),
    "account.restricted": (
        ("Meta has restricted the account.", "Meta says: {words}"),
        ("Solve this in Meta Business Manager > Account quality, then resume what is paused.",),
    ),
    "account.account_restricted": (
        ("Meta has locked or restricted the account.", "Its code: {provider_code}."),
        ("Solve this in Meta Business Manager > Account quality, then resume what is paused.",),
    ),
    "account.payment_required": (
        ("Meta asks for a payment.", "Its code: {provider_code}."),
        ("Pay in Meta Business Manager > Billing, then resume what is paused.",),
    ),
    "account.blocked": (
        ("Meta blocks all sending.", "Meta says: {words}"),
        ("Solve this in Meta Business Manager > Account quality.",),
    ),
    "contracts.fine": (("Units left in {country}: {units}.", "The first contract ends on {ends}."), ()),
    "contracts.absent": (
        ("There is no SMS contract for the default country {country}.",),
        ("Buy a bundle for it at Orange.",),
    ),
    "contracts.empty": (("No units are left in {country}.",), ("Buy units at Orange.",)),
    "contracts.ended": (("The contract in {country} has ended.",), ("Renew it at Orange.",)),
    "sender_name.fine": (("Recipients see the sender name {name}.",), ()),
    "sender_name.narrow": (
        ("Recipients see the sender name {name}. Some countries may not accept its characters.",),
        (),
    ),
    "sender_address.fine": (("Messages to {country} are sent from the sender address {address}.",), ()),
    "sender_address.missing": (
        ("No sender address is known for {country}, so nothing can be sent there.",),
        ("Ask Orange for it and enter it under senders.",),
    ),
    "receipts.fine": (
        (
            "Receipts come to webhook_url, which the SMS settings show. We cannot ask Orange whether this address is "
            "registered there. An Orange application has only one address: if it is another organisation's address, "
            "that organisation gets the receipts of your messages.",
        ),
        (),
    ),
    "refused": (
        ("Not checked, because {provider} refused our question.", "Its code: {provider_code}."),
        ("First repair what the other checks report.",),
    ),
    "unanswered": (
        ("Not checked, because {provider} gave no usable answer.", "The code: {provider_code}."),
        ("Look again in a few minutes. Sending continues as far as possible.",),
    ),
}

_FR: Mapping[str, Finding] = {
    "token.fine": (("Les identifiants sont acceptés.",), ()),
    "token.token_invalid": (
        ("{Provider} refuse les identifiants.", "Son code : {provider_code}."),
        ("Saisissez-en de nouveaux sous Paramètres > Intégrations, puis revenez ici.",),
    ),
    "token.permission_missing": (
        (
            "Les identifiants ne donnent pas accès à ces informations, ou l’identifiant du numéro ou du client est "
            "erroné.",
            "Le code donné par {provider} : {provider_code}.",
        ),
        (
            "WhatsApp : donnez à l’utilisateur système whatsapp_business_messaging et whatsapp_business_management, et "
            "vérifiez le Phone Number ID. SMS : vérifiez l’abonnement de l’application chez Orange.",
        ),
    ),
    "number.fine": (("Le numéro d’envoi est connecté.", "C’est le {number}."), ()),
    "number.unverified": (
        ("Le numéro d’envoi n’est pas vérifié.", "C’est le {number}."),
        ("Vérifiez-le dans WhatsApp Manager > Numéros de téléphone.",),
    ),
    "verified_name.fine": (("Les destinataires voient le nom {name}.",), ()),
    "verified_name.absent": (
        ("Meta n’affiche aucun nom vérifié pour ce numéro.",),
        ("Définissez un nom d’affichage dans WhatsApp Manager > Numéros de téléphone.",),
    ),
    "verified_name.not_approved": (
        ("Meta n’a pas approuvé le nom d’affichage {name}.", "Son état : {status}."),
        ("Corrigez-le dans WhatsApp Manager > Numéros de téléphone, ou attendez l’examen.",),
    ),
    "quality.fine": (("Meta juge élevée la qualité du numéro.",), ()),
    "quality.yellow": (
        ("Meta juge moyenne la qualité du numéro : des personnes l’ont bloqué ou signalé.",),
        (),
    ),
    "quality.unrated": (("Meta n’a pas encore évalué la qualité du numéro.",), ()),
    "quality.red": (
        ("Meta juge faible la qualité du numéro : beaucoup de personnes l’ont bloqué ou signalé.",),
        ("N’écrivez qu’aux personnes qui attendent une carte. Meta peut abaisser la limite ou bloquer le numéro.",),
    ),
    "limit.fine": (
        (
            "Meta vous permet de contacter {limit} personnes en 24 heures hors de leurs sessions.",
            "Utilisé : {used}.",
        ),
        (),
    ),
    "limit.unlimited": (
        ("Meta ne limite pas le nombre de personnes en 24 heures.", "Personnes contactées : {used}."),
        (),
    ),
    "limit.untold": (
        (
            "Meta ne dit pas combien de personnes vous pouvez contacter en 24 heures.",
            "Personnes contactées : {used}.",
        ),
        (),
    ),
    "limit.reached": (
        ("Vous avez atteint le nombre de personnes que Meta permet en 24 heures : {used} sur {limit}.",),
        (
            "L’envoi reprend de lui-même au fil des heures. Pour relever la limite, faites vérifier l’entreprise chez "
            "Meta.",
        ),
    ),
    "templates.fine": (("Modèles approuvés : {count}.",), ()),
    "templates.account_unnamed": (
        ("Le statut des modèles ne peut pas être lu : l’identifiant du compte WhatsApp Business manque.",),
        (f"Saisissez business_account_id sous {_SETTINGS_FR}.",),
    ),
    "templates.none_approved": (
        ("Meta n’a approuvé aucun modèle utilisable ici.",),
        ("Soumettez les modèles prêts à l’emploi sous Modèles. L’examen par Meta dure de 24 à 72 heures.",),
    ),
    "templates.stopped": (
        ("Meta a suspendu ou désactivé des modèles : {names}.",),
        ("Examinez-les dans WhatsApp Manager > Modèles de message, ou utilisez-en d’autres.",),
    ),
    "templates.default_not_approved": (
        ("Le modèle par défaut {name} n’est pas approuvé.",),
        (f"Soumettez-le sous Modèles, ou choisissez-en un autre sous {_SETTINGS_FR}.",),
    ),
    "webhook.fine": (
        (
            "Les rapports de Meta peuvent être vérifiés, et le compte est abonné à une application. Ils vont à "
            "l’adresse saisie dans cette application : si c’est celle d’une autre organisation, c’est elle qui reçoit "
            "les rapports de vos messages.",
        ),
        (),
    ),
    "webhook.app_secret_missing": (
        (
            "Les rapports de remise sont refusés : sans la clé secrète de l’application, rien ne prouve qu’ils "
            "viennent de Meta.",
        ),
        (f"Saisissez app_secret sous {_SETTINGS_FR}.",),
    ),
    "webhook.account_unnamed": (
        (
            "L’identifiant du compte WhatsApp Business manque. Nous ne pouvons donc pas savoir si les avis de Meta sur "
            "les modèles, le compte, ses limites et son numéro concernent votre compte, et nous les ignorons. Nous ne "
            "pouvons pas non plus vérifier l’abonnement aux rapports.",
        ),
        (f"Saisissez business_account_id sous {_SETTINGS_FR}.",),
    ),
    "webhook.not_subscribed": (
        ("Aucune application n’est abonnée au compte : les rapports de remise n’arrivent pas.",),
        (
            "Saisissez l’adresse du webhook et le jeton de vérification dans le tableau de bord de l’application, "
            "abonnez-vous à messages, et abonnez l’application au compte "
            "(POST /<business_account_id>/subscribed_apps).",
        ),
    ),
    "account.fine": (("Le compte peut envoyer.",), ()),
    "account.limited": (("Le compte peut envoyer, avec des limites.", "Meta dit : {words}"), ()),
    "account.restricted": (
        ("Meta a restreint le compte.", "Meta dit : {words}"),
        ("Réglez la situation dans Meta Business Manager > Qualité du compte, puis reprenez ce qui est en pause.",),
    ),
    "account.account_restricted": (
        ("Meta a verrouillé ou restreint le compte.", "Son code : {provider_code}."),
        ("Réglez la situation dans Meta Business Manager > Qualité du compte, puis reprenez ce qui est en pause.",),
    ),
    "account.payment_required": (
        ("Meta demande un paiement.", "Son code : {provider_code}."),
        ("Payez dans Meta Business Manager > Facturation, puis reprenez ce qui est en pause.",),
    ),
    "account.blocked": (
        ("Meta bloque tout envoi.", "Meta dit : {words}"),
        ("Réglez la situation dans Meta Business Manager > Qualité du compte.",),
    ),
    "contracts.fine": (("Unités restantes ({country}) : {units}.", "Le premier contrat prend fin le {ends}."), ()),
    "contracts.absent": (
        ("Il n’y a pas de contrat SMS pour le pays par défaut ({country}).",),
        ("Achetez un forfait pour ce pays chez Orange.",),
    ),
    "contracts.empty": (("Il ne reste aucune unité ({country}).",), ("Achetez des unités chez Orange.",)),
    "contracts.ended": (("Le contrat a pris fin ({country}).",), ("Renouvelez-le chez Orange.",)),
    "sender_name.fine": (("Les destinataires voient le nom d’expéditeur {name}.",), ()),
    "sender_name.narrow": (
        ("Les destinataires voient le nom d’expéditeur {name}. Certains pays peuvent ne pas accepter ses caractères.",),
        (),
    ),
    "sender_address.fine": (("Les messages ({country}) partent de l’adresse d’expéditeur {address}.",), ()),
    "sender_address.missing": (
        ("Aucune adresse d’expéditeur n’est connue ({country}) : rien ne peut y être envoyé.",),
        ("Demandez-la à Orange et saisissez-la sous senders.",),
    ),
    "receipts.fine": (
        (
            "Les accusés arrivent à webhook_url, affichée dans les paramètres SMS. Nous ne pouvons pas demander à "
            "Orange si cette adresse y est enregistrée. Une application Orange n’a qu’une adresse : si c’est celle "
            "d’une autre organisation, c’est elle qui reçoit les accusés de vos messages.",
        ),
        (),
    ),
    "refused": (
        ("Non vérifié, car {provider} a refusé notre question.", "Son code : {provider_code}."),
        ("Corrigez d’abord ce que signalent les autres points.",),
    ),
    "unanswered": (
        ("Non vérifié, car {provider} n’a pas donné de réponse utilisable.", "Le code : {provider_code}."),
        ("Revenez dans quelques minutes. L’envoi continue autant que possible.",),
    ),
}

FINDINGS: Mapping[Language, Mapping[str, Finding]] = {"en": _EN, "fr": _FR}


def finding(name: str, code: str, language: Language) -> Finding:
    """The sentences of a check's finding. If the check has none of its own, those that all checks share."""
    table = FINDINGS[language]
    return table.get(f"{name}.{code}") or table[code]

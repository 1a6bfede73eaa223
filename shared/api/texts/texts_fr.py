"""French texts, with the same codes and placeholders as texts_en.py (a test compares them).

Where only Meta or only Orange can be meant, the text names it. Where both can be, `{provider}` is the name of the one
that is meant, or "le fournisseur" if that is not known.
"""

from shared.api.texts import sheets
from shared.api.texts.sentences import Sentences, TextKind
from shared.recipients.countries import covered_sentence

_COUNTRIES = covered_sentence("fr").replace("'", "’")

TEXTS: dict[TextKind, dict[str, Sentences]] = {
    TextKind.PROBLEM_TITLE: {
        "bad_request": ("La demande est illisible",),
        "forbidden": ("Action non autorisée",),
        "not_found": ("Introuvable",),
        "idempotency_key_missing": ("L’en-tête Idempotency-Key manque",),
        "idempotency_key_reused": ("Cette clé a déjà servi pour une autre demande",),
        "idempotency_in_progress": ("Traitement en cours",),
        "integration_missing": ("Le canal n’est pas configuré",),
        "template_missing": ("Aucun modèle à envoyer",),
        "quiet_hours": ("Heures de silence",),
        "upload_missing": ("Le fichier n’est pas arrivé",),
        "use_upload": ("Trop de destinataires pour une seule demande",),
        "state_conflict": ("Impossible dans cet état",),
        "provider_refused": ("{Provider} a refusé",),
        "too_large": ("Trop volumineux",),
        "unsupported_media_type": ("Type de contenu incorrect",),
        "unprocessable": ("Le contenu ne peut pas être accepté",),
        "rate_limited": ("Trop de demandes",),
    },
    TextKind.PROBLEM_DETAIL: {
        "rate_limited": (
            "Vous avez envoyé cette demande trop souvent en une minute. Rien n’a été fait.",
            "Attendez {retry_after} s, puis réessayez.",
            "Vous pouvez rechercher au plus 60 personnes par minute, une à la fois.",
        ),
        "bad_request": (
            "La demande n’a pas été comprise. Rien n’a été fait.",
            "Corrigez ce qui figure sous errors, puis renvoyez-la.",
        ),
        "forbidden": (
            "Votre compte n’est pas autorisé à faire cela.",
            "Il faut le droit {scope}.",
            "Adressez-vous à l’administrateur de votre organisation.",
        ),
        "not_found": ("Cela n’existe pas, ou appartient à une autre organisation.", "Vérifiez l’adresse."),
        "idempotency_key_missing": (
            "Cette demande exige un en-tête Idempotency-Key, pour qu’une répétition n’envoie rien deux fois.",
            "Utilisez de 1 à 255 caractères ASCII visibles, et une nouvelle clé pour chaque nouvelle demande.",
        ),
        "idempotency_key_reused": (
            "Une demande précédente avec cette clé Idempotency-Key avait un autre contenu. Seule la première compte.",
            "Utilisez une nouvelle clé pour une nouvelle demande.",
        ),
        "idempotency_in_progress": (
            "Une demande précédente avec cette clé Idempotency-Key n’est pas terminée.",
            "Renvoyez la même demande dans quelques secondes. Rien ne partira deux fois.",
        ),
        "integration_missing": (
            "Les paramètres nécessaires manquent.",
            "À renseigner : {integration}.",
            "Un administrateur peut les saisir sous Paramètres > Intégrations.",
        ),
        "template_missing": (
            "Un message de test WhatsApp exige un modèle approuvé, et aucun modèle par défaut n’est défini.",
            "Choisissez-en un sous Paramètres > Intégrations > WhatsApp.",
        ),
        "quiet_hours": (
            "Aucun SMS n’est envoyé entre 21 h et 7 h, heure locale du destinataire.",
            "Réessayez à partir du {opens_at} (heure du destinataire).",
            "Rien n’a été envoyé.",
        ),
        "upload_missing": (
            "Le fichier à importer est absent : il n’a jamais été déposé à son adresse, ou il a expiré.",
            "Importez-le de nouveau, puis créez la distribution.",
        ),
        "use_upload": (
            "Une demande accepte au plus 5 000 destinataires et 4 Mo.",
            "Importez la liste sous forme de fichier (POST /v1/uploads) et donnez son upload_id dans la distribution.",
        ),
        "state_conflict": (
            "C’est impossible dans l’état actuel. Rien n’a été modifié.",
            "État actuel : {status}.",
            "C’est trop tard : {too_late}.",
            "Le contenu du message n’est plus conservé ({gone}) : envoyez un nouveau message.",
            "{exports_wait} exports de votre organisation ne sont pas terminés : attendez la fin de l’un d’eux.",
            "Un autre message a été envoyé à sa place : {successor}. S’il a échoué aussi, renvoyez celui-là.",
            "{retry}.",
            "{advice}",
            "Rechargez la page et choisissez une action encore possible.",
        ),
        "provider_refused": (
            "{Provider} a refusé la demande.",
            "{advice}",
            "Code donné par {provider} : {provider_code}.",
        ),
        "too_large": (
            "La demande est trop volumineuse.",
            "La limite est de {limit}.",
            "Envoyez-en moins à la fois.",
        ),
        "unsupported_media_type": (
            "Seul le format JSON est accepté ici.",
            "Envoyez-le en UTF-8 avec l’en-tête Content-Type: application/json.",
        ),
        "unprocessable": (
            "La demande a été comprise, mais son contenu ne peut pas être accepté. Rien n’a été envoyé.",
            "Corrigez ce qui figure sous errors, puis renvoyez-la.",
        ),
    },
    TextKind.FIELD: {
        "phone_missing": ("Il n’y a pas de numéro de téléphone.", "Saisissez le numéro mobile du bénéficiaire."),
        "phone_invalid": (
            "Cela ne peut pas être un numéro de téléphone.",
            "Vérifiez les chiffres, ou écrivez-le avec +indicatif du pays.",
        ),
        "phone_obsolete": (
            "Ce numéro est à l’ancien format, qui ne fonctionne plus depuis le changement de numérotation du pays.",
            "Demandez au bénéficiaire son nouveau numéro.",
        ),
        "phone_not_mobile": (
            "Ce n’est pas un numéro mobile.",
            "Saisissez un numéro mobile : une ligne fixe ne reçoit rien.",
        ),
        "phone_several": ("Le champ contient plusieurs numéros de téléphone.", "N’en gardez qu’un."),
        "sender_missing": (
            "Aucune adresse d’expéditeur Orange n’est renseignée pour le pays de ce numéro.",
            "Pays : {country}.",
            "Demandez l’adresse à Orange, saisissez-la sous Paramètres > Intégrations > SMS, puis renvoyez.",
        ),
        "country_not_covered": (
            f"Les numéros de ce pays ne sont pas couverts. Pays couverts : {_COUNTRIES}.",
            "Pays du numéro : {country}.",
        ),
        "consent_missing": (
            "Le consentement du bénéficiaire n’est pas enregistré, or WhatsApp l’exige.",
            "Enregistrez-le, ou envoyez par SMS.",
        ),
        "opted_out": (
            "Le bénéficiaire a demandé à ne plus recevoir de messages.",
            "N’envoyez rien, sauf si la personne consent de nouveau et que vous l’enregistrez.",
        ),
        "variable_unknown": (
            "Le texte utilise une variable qui n’existe pas.",
            "La variable : {{{name}}}.",
            "Variables possibles : first_name, last_name, card_code, programme_name, issue_date et verification_url.",
        ),
        "variable_missing": (
            "Le texte a besoin d’une valeur que ce bénéficiaire n’a pas.",
            "Il manque : {name}.",
            "Renseignez-la, ou retirez la variable du texte.",
        ),
        "template_unknown": (
            "Ce modèle n’existe pas dans cette langue.",
            "Son nom : {name}.",
            "Choisissez-en un dans la liste des modèles.",
        ),
        "template_not_approved": (
            "Meta n’accepte pas ce modèle pour le moment.",
            "Le modèle : {name}.",
            "Meta l’examine ({review_hours} heures) : attendez l’approbation.",
            "Meta l’a {stopped} : cherchez la cause dans WhatsApp Manager.",
            "Vous pouvez choisir un autre modèle.",
        ),
        "template_not_submitted": (
            "Meta n’a pas ce modèle : il n’a jamais été soumis, ou il a été supprimé.",
            "Le modèle : {name}.",
            "Demandez à un administrateur de le soumettre depuis la liste des modèles (l’examen dure 24 à 72 heures), "
            "ou choisissez un autre modèle.",
        ),
        "template_required": (
            "WhatsApp n’accepte un texte libre que dans les 24 heures qui suivent un message du bénéficiaire.",
            "Choisissez un modèle approuvé.",
        ),
        "text_too_long": (
            "Le texte est trop long.",
            "La limite est de {limit} (parties d’un SMS, ou caractères sur WhatsApp).",
            "Raccourcissez-le.",
        ),
        "text_empty": ("Le texte est vide.", "Écrivez un message, ou choisissez un modèle."),
        "card_missing": (
            "Il n’y a pas d’image de la carte, or WhatsApp en exige une.",
            "Ajoutez la carte, ou envoyez par SMS.",
        ),
        "card_host_not_allowed": (
            "L’image de la carte se trouve à une adresse qui n’est pas autorisée.",
            "Adresses autorisées : {hosts}.",
            "Une clé s3:// commence par l’identifiant de votre organisation et une barre oblique.",
            "Utilisez une adresse autorisée, ou demandez à l’équipe technique d’ajouter celle-ci.",
        ),
        "card_url_invalid": (
            "L’adresse de l’image de la carte est inutilisable.",
            "Il faut s3://compartiment/clé ou https://hôte/chemin.",
        ),
        "dhis2_attribute_missing": (
            "Il manque un attribut obligatoire dans le dossier DHIS2.",
            "Son UID : {attribute}.",
            "Renseignez-le dans DHIS2, ou corrigez la correspondance sous Paramètres > Intégrations > DHIS2.",
        ),
        "dhis2_not_active": (
            "Rien n’est envoyé pour ce dossier DHIS2 : il n’est pas actif, ou il relève d’un autre programme.",
            "Son UID : {record}.",
            "Dans DHIS2, il est {state}.",
            "Son programme est {program} : la correspondance en indique un autre.",
            "Laissez-le de côté, ou corrigez-le dans DHIS2 (la correspondance est sous Paramètres > Intégrations > "
            "DHIS2), puis exportez à nouveau.",
        ),
        "send_at_past": (
            "L’heure est déjà passée.",
            "Choisissez-en une plus tardive, ou n’en donnez pas pour envoyer tout de suite.",
        ),
        "fallback_invalid": (
            "La solution de repli est inutilisable. Elle va de WhatsApp au SMS, exige un texte ou un modèle qui existe "
            "en SMS, et part entre 1 minute et 7 jours (10 080 minutes) après le message.",
            "Corrigez-la, ou retirez-la.",
        ),
        "row_unreadable": (
            "La ligne est illisible.",
            "{unread}.",
        ),
        "encoding_unknown": (
            "Des lettres du fichier sont illisibles : il n’est ni en UTF-8, ni en UTF-16, ni en Windows-1252.",
            "La première se trouve à la ligne {line}.",
            "Dans Excel, choisissez « Enregistrer sous », puis « CSV UTF-8 » ou « Classeur Excel (.xlsx) », et "
            "importez le nouveau fichier.",
        ),
        "header_missing": (
            "Le fichier n’a pas de ligne de titres.",
            "La ligne {line} contient déjà des données.",
            "Ajoutez au-dessus une ligne avec les noms des colonnes, par exemple : Téléphone, Prénom, Nom.",
        ),
        "phone_column_missing": (
            "Aucune colonne ne porte un titre qui désigne le téléphone.",
            "Colonnes trouvées à la ligne {line} : {columns}.",
            "Appelez « Téléphone » la colonne qui contient les numéros, puis importez le fichier de nouveau.",
        ),
        "column_twice": (
            "Deux colonnes désignent la même information : on ne sait pas laquelle prendre.",
            "Ce sont : {columns}.",
            "Gardez-en une, ou donnez à l’autre un titre différent.",
        ),
        "quote_unclosed": (
            "Un guillemet est ouvert et n’est jamais fermé : la suite du fichier ne peut pas être séparée en lignes.",
            "Il est ouvert à la ligne {line}.",
            "Fermez-le ou retirez-le, puis importez le fichier de nouveau.",
        ),
        "file_empty": (
            "Le fichier ne contient aucune ligne de données.",
            "Vérifiez que vous avez enregistré la bonne feuille, puis importez le fichier de nouveau.",
        ),
        "not_this_format": (
            "Le fichier ne peut pas être lu dans le format annoncé.",
            "Format annoncé : {format}.",
            "Le fichier est plutôt {looks_like}.",
            "Ligne : {line}.",
            "Enregistrements lus avant l’erreur : {rows}.",
            "Pourquoi : {why}.",
        ),
        "field_unknown": (
            "Ce champ n’existe pas ici.",
            "Son nom : {name}.",
            "Retirez-le, ou corrigez son nom.",
        ),
        "field_invalid": (
            "La valeur est inutilisable.",
            "Le champ {missing} est obligatoire.",
            "Donnez un seul de ces champs : {only_one_of}.",
            "Il faut {type}.",
            "Il faut {format}.",
            "Valeurs possibles : {allowed}.",
            "Il faut {pattern}.",
            "Le minimum est {minimum}.",
            "Le maximum est {maximum}.",
            "Un consentement ne peut pas avoir une date dans le futur : au plus tard le {latest}. "
            "Vérifiez que le jour et le mois ne sont pas inversés.",
            "Il en faut au moins {least}.",
            "Il en faut au plus {most}.",
            "Elle ne doit pas précéder le champ {before}.",
            "Ce champ ne vaut que pour l’export des {only_for}.",
            "{retry}.",
        ),
    },
    TextKind.REASON: {
        "card_unreachable": (
            "L’image de la carte n’a pas pu être récupérée.",
            "Vérifiez qu’elle existe et que nous y avons accès.",
        ),
        "card_not_a_picture": ("La carte n’est pas une image PNG ou JPEG.", "Recréez la carte, puis renvoyez."),
        "card_too_large": ("L’image de la carte dépasse 5 Mo.", "Faites-en une plus petite, puis renvoyez."),
        "not_on_whatsapp": ("Le numéro n’a pas WhatsApp, ou refuse ces messages.", "Envoyez par SMS."),
        "undeliverable": (
            "Le réseau n’a pas pu remettre le message.",
            "Vérifiez le numéro, ou réessayez plus tard.",
        ),
        "outcome_unknown": (
            "La connexion a été coupée pendant l’envoi : nous ne savons pas si le message est parti.",
            "Demandez au bénéficiaire avant de le renvoyer.",
        ),
        "provider_rejected": (
            "{Provider} a rejeté le message.",
            "Prévenez l’équipe technique : elle doit vérifier le contenu.",
        ),
        "experiment_withheld": (
            "Meta n’a pas remis le message, à cause d’une expérience qui lui est propre.",
            "Envoyez par SMS.",
        ),
        "already_sent": (
            "La campagne a déjà envoyé cette carte à ce bénéficiaire, ou va bientôt l’envoyer.",
            "Vous n’avez rien à faire. Si la carte n’arrive pas, renvoyez ce message.",
        ),
        "cancelled": (
            "Le message a été annulé avant son envoi : par une personne, avec sa distribution, ou parce que le message "
            "qu’il devait remplacer est arrivé.",
            "Vous n’avez rien à faire. S’il doit partir malgré tout, renvoyez-le.",
        ),
        "expired": (
            "Le message a attendu trop longtemps et n’a pas été envoyé.",
            "Envoyez-le de nouveau s’il est encore utile.",
        ),
        "erased": ("Les données du bénéficiaire ont été effacées. Rien n’a été envoyé.",),
        "receipt_missing": (
            "Le réseau n’a donné aucun accusé de réception depuis 48 heures.",
            "Le message a pu arriver malgré tout.",
        ),
    },
    TextKind.DEAD_LETTER: {
        "copy_unreadable": (
            "Le message en file d’attente était illisible.",
            "Relancez-le : il est recréé à partir de son contenu conservé.",
        ),
        "handling_failed": (
            "Notre propre système a échoué chaque fois qu’il a traité le message.",
            "Relancez-le une fois la panne réparée par l’équipe technique.",
        ),
    },
    TextKind.STATUS_REASON: {
        "token_invalid": (
            "{Provider} n’accepte plus les identifiants.",
            "Saisissez-en de nouveaux sous Paramètres > Intégrations. L’envoi est aussitôt essayé de nouveau.",
        ),
        "permission_missing": (
            "Il manque aux identifiants un droit nécessaire à l’envoi.",
            "Accordez-le chez Meta, puis reprenez. L’envoi est aussitôt essayé de nouveau.",
        ),
        "account_restricted": (
            "{Provider} a restreint ou bloqué le compte.",
            "Réglez cela chez {provider}. L’envoi reprend de lui-même, ou aussitôt si vous le relancez.",
        ),
        "payment_required": (
            "Meta demande un paiement.",
            "Payez dans Meta Business Manager. L’envoi reprend de lui-même, ou aussitôt si vous le relancez.",
        ),
        "balance_empty": (
            "Le solde de SMS est épuisé.",
            "Achetez des unités chez Orange. L’envoi reprend de lui-même.",
        ),
        "contract_expired": ("Le contrat SMS a expiré.", "Renouvelez-le chez Orange. L’envoi reprend de lui-même."),
        "cards_unavailable": (
            "Les images des cartes d’un serveur sont inaccessibles : erreur, page web ou aucune réponse.",
            "Faites réparer ce serveur ou renouveler les liens. L’envoi reprend de lui-même dès qu’une carte arrive.",
        ),
        "country_not_subscribed": (
            "Le compte n’est pas autorisé à envoyer des messages dans ce pays.",
            "Abonnez-vous à ce pays chez {provider}, ou demandez-lui de l’ouvrir, puis reprenez.",
        ),
        "sender_name_not_approved": (
            "Orange n’a pas approuvé le nom d’expéditeur.",
            "Faites-le approuver, ou changez-le sous Paramètres > Intégrations > SMS, puis reprenez.",
        ),
        "template_paused": (
            "Meta a suspendu le modèle à cause de sa qualité.",
            "Attendez que Meta lève la suspension, ou utilisez un autre modèle.",
        ),
        "template_disabled": ("Meta a désactivé le modèle.", "Utilisez un autre modèle."),
        "template_recategorised": (
            "Meta a retiré le modèle de la catégorie Utilitaire.",
            "Faites appel dans WhatsApp Manager, ou utilisez un autre modèle.",
        ),
        "daily_limit": (
            "Vous avez atteint le nombre de personnes que Meta vous permet de contacter par jour.",
            "L’envoi reprend de lui-même dès que la limite le permet.",
        ),
        "provider_down": ("{Provider} ne répond pas.", "L’envoi reprend dès qu’il répond."),
        "paused_by_user": ("Une personne de votre organisation l’a mise en pause.", "Reprenez-la pour continuer."),
        "expired": ("Elle n’a pas été confirmée dans les 7 jours.", "Créez la distribution de nouveau."),
        "file_unreadable": (
            "Le fichier n’a pas pu être lu ; rien n’a été envoyé.",
            "Les erreurs de la distribution disent pourquoi et à quel endroit. Corrigez le fichier, puis importez-le "
            "de nouveau.",
        ),
    },
    TextKind.COLUMN: sheets.COLUMNS["fr"],
    TextKind.TERM: sheets.TERMS["fr"],
    TextKind.WARNING: {
        "ucs2": (
            "À cause de certains caractères, un SMS contient 70 caractères au lieu de 160 : il coûte plus cher.",
            "Messages concernés : {count}.",
            "Remplacez-les, ou choisissez « gsm7 ».",
        ),
        "characters_removed": (
            "Des valeurs, ou le texte, avaient des caractères qu’aucun message ne peut contenir. Ils ont été retirés.",
            "Messages concernés : {count}.",
            "Vérifiez ces valeurs dans l’aperçu, et corrigez-les à leur source.",
        ),
        "language_fallback": (
            "Des langues ne sont ni le français ni l’anglais : ces bénéficiaires reçoivent la langue par défaut, ou le "
            "français.",
            "Messages concernés : {count}.",
            "Vérifiez la colonne de la langue.",
        ),
        "units_insufficient": (
            "Le solde de SMS risque de ne pas suffire à tous les messages.",
            "Pays : {country}.",
            "Nécessaire : {needed}.",
            "Disponible : {available}.",
            "Achetez des unités avant de confirmer.",
        ),
        "units_missing": (
            "Pour certains pays de la liste, il manque des unités de SMS ou leur prix.",
            "Il ne reste pas d’unités pour : {without_units}. Achetez-en ; d’ici là, leurs messages attendent.",
            "Aucun prix n’est saisi pour : {unpriced}. Saisissez le prix de votre contrat sous "
            "Paramètres > Intégrations > SMS ; d’ici là, leur coût n’est pas connu.",
            "Messages concernés : {count}.",
        ),
        "daily_limit_exceeded": (
            "Meta permet de contacter moins de destinataires par jour : l’envoi prendra plusieurs jours.",
            "La limite par jour : {limit}.",
        ),
        "cards_older_than_24h": (
            "Certaines cartes ont été créées il y a plus de 24 heures.",
            "Cartes concernées : {count}.",
            "Les bénéficiaires devraient les recevoir en moins d’une journée.",
        ),
        "cards_unreachable": (
            "Certaines cartes ne peuvent pas être récupérées, ou ne sont pas des images.",
            "Cartes essayées : {tried}.",
            "Cartes concernées : {count}.",
            "Avant de confirmer, vérifiez qu’elles existent, que leurs liens sont valables et que nous y avons accès.",
        ),
        "peak_hours": (
            "L’envoi de plus de 10 000 SMS aux heures de pointe peut être lent.",
            "Choisissez les heures creuses s’ils peuvent attendre.",
        ),
        "unknown_columns": (
            "Le fichier a des colonnes qui ne sont pas utilisées.",
            "Les colonnes : {columns}.",
            "Vérifiez leurs noms si vous en avez besoin.",
        ),
        "lines_skipped": (
            "Des lignes au-dessus des titres des colonnes n’ont pas été lues.",
            "Lignes concernées : {count}.",
            "Vérifiez qu’aucune ne contient un bénéficiaire.",
        ),
        "pages_missing": (
            "Le fichier ne contient qu’une partie de la liste : DHIS2 indique qu’il y a d’autres pages.",
            "Dossiers lus : {read}.",
            "Dossiers dans DHIS2 : {total}.",
            "Exportez la liste entière (paging=false), ou toutes les pages, avant de confirmer.",
        ),
        "sender_name_narrow": (
            "Orange peut ne pas accepter ce nom d’expéditeur dans tous les pays.",
            "Faites-l’y approuver avant une campagne.",
        ),
        "template_status_unknown": (
            "Meta n’a pas répondu sur le modèle ou la limite : cela n’a pas été vérifié.",
            "L’envoi continue.",
        ),
        "fallback_invalid": (
            "Des messages n’auront pas de solution de repli : leur SMS ne peut être composé, ou envoyé dans leur pays.",
            "Messages concernés : {count}.",
        ),
        "receipts_missing": (
            "Meta n’envoie aucun rapport pour l’instant : nous ne savons pas quels messages sont arrivés.",
            "Messages concernés : {count}.",
            "Leur SMS de repli attend les prochains rapports de Meta, 24 heures au plus. Vous n’avez rien à faire.",
        ),
        "gsm7_not_possible": (
            "Le texte a des lettres qu’un SMS simple ne peut pas contenir : il garde la forme longue.",
            "Messages concernés : {count}.",
        ),
    },
}

"""The words by which people end all messages to them, and the words that they put around those. Data only.

Everything is read as a person's message is read (`shared.domain.stop_words`): case, accents, vowel signs and forms of a
letter make no difference; apostrophes and hyphens are blanks. "any" holds what says nothing about the language.
"""

from collections.abc import Mapping

STOPS: Mapping[str, str] = {
    "any": "stop stopall",
    "fr": """
        arret arreter arrete arretes arretez stopper stoppez stoppe
        desabonner desabonne desabonnez desabonnement desabo
        desinscription desinscrire desinscris desinscrivez desinscrit
    """,
    "en": "unsubscribe unsub optout",
    "ar": "توقف توقفوا توقفي ايقاف الايقاف الغاء الالغاء الغ الغي قف قفوا اوقف اوقفوا اوقفي وقف وقفوا كفوا",
}
"""One of them ends the messages, alone or among fillers."""

STOP_PHRASES: Mapping[str, tuple[str, ...]] = {
    "fr": (
        "ne veux plus recevoir", "veux plus recevoir", "ne souhaite plus recevoir", "souhaite plus recevoir",
        "ne plus recevoir", "ne m envoyez plus", "ne m envoie plus", "ne nous envoyez plus", "n envoyez plus",
        "m envoyez plus", "ne m ecrivez plus", "m ecrivez plus", "ne me contactez plus", "me contactez plus",
    ),
    "en": (
        "stop promotions", "opt out", "opt me out", "remove me", "take me off", "do not contact", "don t contact",
        "dont contact", "do not send", "don t send", "dont send", "do not text", "don t text", "dont text",
        "do not message", "don t message", "dont message", "no more messages", "no more sms", "no more texts",
    ),
    "ar": ("لا ترسل", "لا ترسلوا", "لا ترسلي", "لا اريد رسائل", "لا اريد الرسائل", "لا اريد استلام"),
}  # fmt: skip
"""They count as one of the words."""

FILLERS: Mapping[str, str] = {
    "any": "sms msg msgs message messages whatsapp ok okay info infos spam no numero",
    "fr": """
        svp stp s il te vous plait merci mercis d avance beaucoup bien bonjour bonsoir salut madame monsieur non nan
        je j veux voudrais souhaite souhaiterais demande prie tout tous toute toutes de des du la le les l ca cela ce
        ces cette vos votre mes mon moi me m nous immediatement maintenant envoyer envoi envois d envoyer envoie
        ecrire contacter recevoir contact texto textos pub pubs publicite publicites notification notifications alerte
        alertes abonnement se numero liste desormais a aux
    """,
    "en": """
        please pls plz thanks thank you thx ty kindly hello hi hey dear sir madam nope i want would like to
        the this these those that it all any your my me us at once now immediately from of for list sending send
        texting text texts messaging contacting receiving getting notification notifications alert alerts
        subscription promotions contact
    """,
    "ar": """
        من فضلك فضلكم لو سمحت سمحتم رجاء ارجو ارجوك ارجوكم شكرا لكم السلام عليكم مرحبا لا اريد عن لي الي هذه هذا كل جميع
        رساله الرساله رسائل الرسائل رسائلكم ارسال الارسال اشتراك الاشتراك اشتراكي الاشعارات الاعلانات
    """,
}
"""Courtesies, and what is to be stopped. They never change what a word means."""

NEGATIONS_BEFORE = frozenset(
    ("pas", "jamais", "sans", "non", "not", "never", "t", "dont", "without", "لا", "بدون", "دون", "بلا", "لن", "لم")
)
"""Directly before a word, in the same clause, they turn it round: "ne pas arrêter", "non-stop", "don't stop"."""
NEGATIONS_AFTER = frozenset(["pas", "jamais"])
"""Directly behind it: "n'arrêtez pas"."""

HARMLESS = (
    "bus stop", "bus stops", "next stop", "last stop", "pit stop", "one stop", "full stop", "truck stop", "stop by",
    "stop over", "stop sign", "stop motion", "auto stop", "stop palu", "stop polio", "stop sida", "stop covid",
    "arret de bus", "arret du bus", "arret bus", "arret de taxi", "arret maladie", "arret de travail",
    "arret cardiaque", "وقف اطلاق النار",
)  # fmt: skip
"""Set phrases in which the word means something else."""

PERHAPS = (
    "cancel", "quit", "end", "annuler", "annulez", "annulation", "fin", "assez", "enough", "leave me alone",
    "laissez moi tranquille", "plus de message", "plus de messages", "plus de sms", "plus rien", "كفي", "كفايه",
)  # fmt: skip
"""Alone or among fillers they may mean it: the person is asked."""

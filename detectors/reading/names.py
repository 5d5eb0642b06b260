"""The names of types, fields and choices, in any case and with any punctuation between their words."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import get_args

from pydantic import BaseModel

from detectors.flow import EventType
from detectors.normalize.text import fold, words

_LONGEST_NAME = 64
_LONGEST_TYPE = 256

_ORDER = """
    order orders ordercompleted ordercomplete ordercompletion completedorder completeorder ordercreated ordercreate
    orderscreate orderplaced orderplace placeorder placedorder orderpaid orderspaid paidorder orderconfirmed
    orderconfirmation orderconfirm confirmorder orderreceived ordersuccess ordersuccessful ordersuccessfull
    orderfinished orderdone ordersubmitted orderfulfilled ordersfulfilled ordershipped orderdelivered orderapproved
    orderpayed orderinvoiced orderfinalized orderfinalised
    neworder completed purchase purchases purchased purchasecompleted purchasecomplete completedpurchase
    completepurchase purchasesuccess purchaseconfirmed productpurchased bought paid payed sale conversion
    transaction transactioncompleted transactioncomplete transactionsuccess checkoutcompleted checkoutcomplete
    completedcheckout completecheckout checkoutsuccess checkoutfinished checkoutsessioncompleted
    paymentcompleted paymentcomplete
    completedpayment paymentsucceeded paymentsuccess paymentsuccessful paymentsuccessfull paymentapproved
    paymentcaptured paymentintentsucceeded paymentconfirmed paymentreceived paymentpaid paymentaccepted
    invoicepaid chargesucceeded
    pedido pedidocompletado pedidocompleto pedidoconcluido pedidorealizado pedidopagado pedidopago pedidoconfirmado
    pedidoefetuado pedidoaprovado orden ordencompletada ordencompleta ordenpagada ordenconfirmada compra
    compracompletada compraconcluida comprarealizada comprafinalizada compraefetuada compraconfirmada compraaprovada
    comprado comprada pagocompletado pagoaprobado pagoconfirmado pagorealizado pagorecibido pagamentoaprovado
    pagamentoconfirmado venda vendarealizada venta ventarealizada commande commandepassee commandepayee
    commandeconfirmee commandeterminee achat achete achateffectue paiementaccepte paiementreussi thankyou thankyoupage
    bestellt bestellung bestellungabgeschlossen gekauft bezahlt ordine ordinecompletato acquisto acquistocompletato
"""
_OPT_OUT = """
    optout optsout optedout optingout optoutrequest optoutrequested optouts unsubscribe unsubscribed unsubscribes
    unsubscription unsubscriberequest unsubscribeall stop stopall stopcontact stopcontacting stopcalling stopcalls
    stopmessages donotcontact dontcontact nocontact donotcall dontcall donotdisturb dnc removeme optoutall
    consentrevoked consentwithdrawn consentdenied consentrefused revokeconsent withdrawconsent revokedconsent
    withdrawnconsent objection baja darsedebaja dardebaja bajasolicitada cancelarsuscripcion desuscribir desuscribirse
    desuscrito nocontactar nollamar pararcontacto descadastrar descadastro descadastrado cancelarinscricao
    naocontatar naoligar desinscription desinscrire desabonnement desabonner nepascontacter nepasappeler
"""
_PENDING = """
    paymentpending pendingpayment paymentispending pending awaitingpayment paymentawaiting paymentawaited
    waitingforpayment paymentinprogress paymentprocessing processingpayment paymentinitiated paymentonhold orderpending
    pendingorder orderonhold onhold orderawaitingpayment vouchercreated voucherissued vouchergenerated boletocreated
    boletoissued boletogenerated boletogerado pixcreated pixgenerated pixgerado pagopendiente pendientedepago
    pagamentopendente aguardandopagamento paiementenattente
"""
_DECLINED = """
    paymentdeclined declinedpayment declined paymentfailed failedpayment paymentfailure paymentrejected paymentrefused
    carddeclined pagorechazado pagamentorecusado paiementrefuse
"""

TYPES: Mapping[str, EventType] = {
    **dict.fromkeys(_ORDER.split(), "order_completed"),
    **dict.fromkeys(_OPT_OUT.split(), "opt_out"),
    **dict.fromkeys(_PENDING.split(), "payment_pending"),
    **dict.fromkeys(_DECLINED.split(), "payment_declined"),
    **{name.replace("_", ""): name for name in get_args(EventType)},
}
"""By squashed name. Types that start a contact have no synonyms."""

_OPT_OUT_WORDS = words("optout unsubscribe unsubscribed unsubscription descadastro")
"""Words that mean an opt-out also among others. `stop` isn't one: it can be about anything."""
_LAST_WORDS = words("purchase purchased ordered bought")
"""Words that mean a purchase at the end of others, as in `ecommerce.purchase`."""
_FILLERS = words("a an the was is has been")
_FIRST: tuple[EventType, ...] = ("opt_out", "order_completed", "payment_pending")
_MOST_WORDS = 12
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_MISSPELT: tuple[tuple[EventType, str, int], ...] = (
    ("order_completed", "ordercompleted", 2),
    ("payment_pending", "paymentpending", 2),
    ("payment_declined", "paymentdeclined", 2),
    ("opt_out", "optout", 1),
)
"""How many letters of each can be wrong. None of these comes that close to another word that shops use."""


def squash(name: str) -> str:
    """Return a name without case, accents and punctuation: sessionId and Session-ID are the same."""
    return _squashed(name[:_LONGEST_NAME])


@lru_cache(maxsize=4096)
def _squashed(name: str) -> str:
    # What is cached is short: names of 64 KiB would fill the memory.
    return "".join(char for char in name.casefold() if char.isalnum())


def event_type(text: str) -> EventType | None:
    """Return the type of event that a text names; None if it names none."""
    return _event_type(text[:_LONGEST_TYPE])


@lru_cache(maxsize=1024)
def _event_type(text: str) -> EventType | None:
    for name in (squash(text), squash(fold(text))):
        known = TYPES.get(name)
        if known is not None:
            return known
    misspelt = next((kind for kind, right, most in _MISSPELT if _distance(name, right, most) <= most), None)
    return misspelt or _among_words(text)


def _among_words(text: str) -> EventType | None:
    """Return the stop signal that some words of a text name: `shop/order_completed`, `OrderCompletedEvent`."""
    found = [word.lower() for word in _WORD.findall(_without_accents(text))]
    found = [word for word in found if word not in _FILLERS][:_MOST_WORDS]
    runs = {"".join(found[start:end]) for start in range(len(found)) for end in range(start + 2, len(found) + 1)}
    kinds = {TYPES.get(run) for run in runs}
    if not _OPT_OUT_WORDS.isdisjoint(found):
        kinds.add("opt_out")
    if found and found[-1] in _LAST_WORDS:
        kinds.add("order_completed")
    return next((kind for kind in _FIRST if kind in kinds), None)


def _without_accents(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def choice(text: str, of: Iterable[str]) -> str | None:
    """Return the word that equals a text apart from case and punctuation: `Cart-Review`."""
    name = squash(text)
    return next((word for word in of if squash(word) == name), None)


@cache
def fields_of(model: type[BaseModel]) -> Mapping[str, str]:
    """Return the names of a model's fields by their squashed names."""
    return {squash(name): name for name in model.model_fields}


def renamed(part: Mapping[str, object], model: type[BaseModel], *, first: bool) -> dict[str, object]:
    """Return a part with its fields renamed to the model's names; unknown names stay.

    An exact name wins. If two other names mean the same field and differ, `first` takes the first one with a value.
    Without `first`, the field is left out.
    """
    names = fields_of(model)
    found = {key: value for key, value in part.items() if key in model.model_fields or squash(key) not in names}
    others: dict[str, list[object]] = {}
    for key, value in part.items():
        name = names.get(squash(key))
        if key not in found and name is not None and (name not in found or (first and found[name] in EMPTY)):
            others.setdefault(name, []).append(value)
    for name, values in others.items():
        stated = [value for value in values if value not in EMPTY]
        if first or all(value == values[0] for value in values):
            found[name] = (stated or values)[0]
    return found


EMPTY: tuple[object, ...] = (None, "", [], {})
"""Values that mean nothing."""


def _distance(text: str, other: str, most: int) -> int:
    """Return the number of letters to change, add, remove or swap; a number above `most` if there are too many."""
    if abs(len(text) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(text, 1):
        line = [row]
        for column, right in enumerate(other, 1):
            least = min(last[column] + 1, line[column - 1] + 1, last[column - 1] + (letter != right))
            if row > 1 and column > 1 and letter == other[column - 2] and text[row - 2] == right:
                least = min(least, before[column - 2] + 1)
            line.append(least)
        before, last = last, line
    return last[-1]

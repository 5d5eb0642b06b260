"""Stop signals in every form in which a shop might write them: orders, opt-outs and refusals."""

import json
from typing import Any

from hypothesis import strategies as st

from tests.support.mangling import ANA, EMAIL, PHONE

REFUSED = {"call": False, "whatsapp": False}
SAID_YES = {**ANA, "consent": {"call": True, "whatsapp": True}}
KINDS = {
    "order_completed": [
        *(
            "order_completed",
            "ORDER_COMPLETED",
            "orderCompleted",
            "Order completed",
            "ordercompleted",
            "order_complted",
        ),
        *("purchase", "orders/paid", "shop/order_completed", "OrderCompletedEvent", "Pedido concluído"),
        *("com.shop.order.completed", "ecommerce.purchase", "Placed an Order", "sales_order_place_after"),
    ],
    "opt_out": [
        *("opt_out", "OPT-OUT", "optOut", " opt out ", "unsubscribe", "STOP", "opt_ot", "user_opt_out"),
        *("sms.unsubscribed", "dar de baja", "OptOutEvent"),
    ],
}
SPELLED_PHONES: list[object] = [
    *(PHONE, "+55 (11) 98765-4321", "(11) 98765-4321", "11987654321", "011 98765-4321", "0055 11 98765 4321"),
    *("5511987654321", 5511987654321, 5511987654321.0, "5511987654321.0", "+5511\u200b98765\u00a04321", [PHONE]),
    *("tel:+55-11-98765-4321", "whatsapp:+5511987654321", "+55 11 8765-4321", "0 15 11 98765 4321"),
    *("\uff0b\uff15\uff15 11 98765-4321", ["+5511900000000", PHONE], {"number": PHONE}),
    *({"country_code": "55", "area_code": "11", "number": "987654321"}, f" {PHONE} / +5511900000000"),
]
SPELLED_EMAILS: list[object] = [
    *(EMAIL, EMAIL.upper(), f" {EMAIL}\n", f"Ana <{EMAIL}>", f"mailto:{EMAIL}", [EMAIL], ["x@example.com", EMAIL]),
    *(f"{EMAIL}-12345b.ct.vtex.com.br", {"value": EMAIL}),
]
SPELLED_COUNTRIES: list[object] = ["BR", "br", "BRA", "Brasil", "Brazil", 55, "+55", ["BR"], "", None, "??", "US"]
MOMENTS: list[object] = [
    *(None, "", "null", 0, -1, 1, "0", 10**30, True, [], {}, "yesterday", "1970-01-01", "0001-01-01T00:00:00Z"),
    *("9999-12-31T23:59:59Z", "9999-12-31", "31/12/2030 10:00", "2019-01-01 00:00:00", "12:00", "2020", "NaN"),
]
JUNK = st.dictionaries(
    st.sampled_from(["note", "tags", "utm", "cart", "order_value", "currency", "platform", "items", "x", "engagement"]),
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2),
    max_size=3,
)


def one_of(values: list[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def field_names(*names: str) -> st.SearchStrategy[str]:
    return st.sampled_from(names).flatmap(lambda name: one_of([name, name.upper(), name.title().replace("_", "")]))


@st.composite
def people(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a form that names Ana by number, address or both."""
    who: dict[str, Any] = {}
    named = draw(one_of(["phone", "email", "both"]))
    if named != "email":
        who[draw(field_names("phone_number", "phone"))] = draw(one_of(SPELLED_PHONES))
        who["country_code"] = draw(one_of(SPELLED_COUNTRIES))
        if who["country_code"] == "US":
            # Some numbers have another reading there, which hides Ana's.
            who.update(phone_number=PHONE)
    if named != "phone":
        who["email"] = draw(one_of(SPELLED_EMAILS))
    return who


@st.composite
def by_person(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Draw a stop signal that names Ana, and possibly an unknown session."""
    made: dict[str, Any] = draw(JUNK)
    who = draw(people())
    where = draw(one_of(["customer", "list", "text", "flat", "billing"]))
    if where in {"flat", "billing"}:
        made |= who if where == "flat" else {"billing_address": who}
    else:
        made["customer"] = {"customer": who, "list": [who], "text": json.dumps(who)}[where]
    made |= draw(one_of([{}, {"session_id": "order-17"}, {"session_id": 17}, {"session_id": None}, {"session_id": ""}]))
    return finished(draw, made, kind)


@st.composite
def by_session(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an order that names the cart s-1 in any field, and no person."""
    made: dict[str, Any] = draw(JUNK)
    name = draw(field_names("session_id", "cart_id", "cart_token", "checkout_id", "quote_id"))
    where = draw(one_of(["session", "event", "metadata", "pairs", "cart_ids"]))
    value = draw(one_of(["s-1", " s-1\n", ["s-1"]]))
    if where == "session":
        made["session_id"] = value
    else:
        made["session_id"] = draw(one_of(["order-17", 17, None, ""]))
        made |= {
            "event": {name if name.lower().replace("_", "") != "sessionid" else "cart_id": value},
            "metadata": {"engagement": {"metadata": {name: "s-1"}}},
            "pairs": {"meta_data": [{"id": 1, "key": f"_{name}", "value": "s-1"}]},
            "cart_ids": {"cart_ids": ["other", "s-1"]},
        }[where]
    return finished(draw, made, "order_completed")


def finished(draw: st.DrawFn, made: dict[str, Any], kind: str) -> dict[str, Any]:
    made[draw(one_of(["type", "Type", "TYPE"]))] = draw(one_of(KINDS[kind]))
    if draw(st.booleans()):
        made["occurred_at"] = draw(one_of(MOMENTS))
    return made


@st.composite
def written(draw: st.DrawFn, events: st.SearchStrategy[dict[str, Any]]) -> bytes:
    """Draw the bytes of an event: plain, wrapped or encoded more than once."""
    made = draw(events)
    way = draw(one_of(["plain", "plain", "twice", "thrice", "list", "data", "sns", "bom", "utf-16", "ascii", "comma"]))
    text = json.dumps(made, ensure_ascii=way == "ascii")
    match way:
        case "twice":
            text = json.dumps(text)
        case "thrice":
            text = json.dumps(json.dumps(text))
        case "list":
            text = f"[{text}]"
        case "data":
            text = json.dumps({"id": "evt_1", "data": {"object": made}})
        case "sns":
            text = json.dumps({"Type": "Notification", "Message": text})
        case "bom":
            text = f"\ufeff{text}"
        case "comma":
            text = text[:-1] + ",}"
    return text.encode("utf-16" if way == "utf-16" else "utf-8", errors="replace")


def refusals() -> st.SearchStrategy[dict[str, Any]]:
    """Draw a refusal of Ana's in her session or another one."""
    no: list[object] = [False, "false", "no", "NO", 0, "0", "denied", "não", "revoked", {"granted": False}, "maybe", -1]
    spelled: list[dict[str, Any]] = [
        *({"consent": said} for said in no),
        *({"consent": {"call": said, "whatsapp": said}} for said in no),
        *({"consent": {"Call": said, "WhatsApp": said}} for said in no),
        *({"opt_in": False}, {"consents": REFUSED}, {"opted_out": "2026-01-01"}, {"do_not_contact": "on"}),
        *({"consent": ["email"]}, {"consent": json.dumps(REFUSED)}, {"consent": {"channels": REFUSED}}),
    ]

    @st.composite
    def made(draw: st.DrawFn) -> dict[str, Any]:
        session = draw(one_of(["s-1", "other"]))
        said = draw(one_of(spelled))
        who = {} if session == "s-1" else {"phone_number": PHONE, "email": EMAIL}
        found = {"type": draw(one_of(["activity", "Activity", "consent_updated"])), "session_id": session}
        if session == "other":
            found["type"] = "activity"
        return found | {"customer": {**who, **said}} | ({"occurred_at": draw(one_of(MOMENTS))})

    return made()

"""What a person sees: Checkout, the portal, an invoice. Each says that it is a stand-in."""

from html import escape

from tests.fakes.stripe import checkout, invoices
from tests.fakes.stripe.clock import recover, retry
from tests.fakes.stripe.customers import add_card, card_of, use_card
from tests.fakes.stripe.state import State
from tests.fakes.stripe.subscriptions import ENDED, update
from tests.fakes.stripe.wire import Object, Params

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;background:#f4f5f7;color:#1d2433;margin:0}
main{max-width:34rem;margin:3rem auto;background:#fff;border-radius:12px;padding:2rem;
box-shadow:0 1px 3px #0002}
h1{font-size:1.3rem;margin:0 0 1rem}table{width:100%;border-collapse:collapse;margin:1rem 0}
td{padding:.5rem 0;border-bottom:1px solid #e6e8ec}td:last-child{text-align:right;white-space:nowrap}
.note{background:#fff6d6;border-radius:8px;padding:.6rem .9rem;font-size:.9rem}
.fault{background:#fde7e7;border-radius:8px;padding:.6rem .9rem}
button,.link{font:inherit;border:0;border-radius:8px;padding:.6rem 1rem;margin:.3rem .3rem .3rem 0;
background:#e6e8ec;color:#1d2433;cursor:pointer;text-decoration:none;display:inline-block}
button.first{background:#3b5bdb;color:#fff}form{display:inline}
"""
_NOTE = "This is a stand-in for Stripe on this machine. No card is asked for, and no money moves."


def money(amount: int, currency: str) -> str:
    """``amount`` in hundredths."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02d} {currency.upper()}"


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><main>'
        f'<h1>{escape(title)}</h1><p class="note">{_NOTE}</p>{body}</main></body></html>'
    )


def _button(path: str, label: str, *, first: bool = False, **fields: str) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in fields.items()
    )
    kind = ' class="first"' if first else ""
    return (
        f'<form method="post" action="{escape(path)}">{hidden}<button{kind}>{escape(label)}</button></form>'
    )


def _table(rows: list[tuple[str, str]]) -> str:
    return "<table>" + "".join(f"<tr><td>{one}</td><td>{other}</td></tr>" for one, other in rows) + "</table>"


def show_checkout(state: State, id: str, fault: str | None = None) -> str:
    session = state.get("checkout.session", id)
    rows = []
    for each in checkout.lines_of(state, session):
        price, count = each["price"], each["quantity"]
        name = escape(state.get("product", price["product"])["name"])
        every = " a month" if price["recurring"] else ""
        amount = money(price["unit_amount"] * count, price["currency"]) + every
        rows.append((f"{name}{f' &times; {count}' if count > 1 else ''}", amount))
    rows.append(("<b>Due today</b>", f"<b>{money(session['amount_total'], session['currency'])}</b>"))
    told = "" if fault is None else f'<p class="fault">The card was declined: {escape(fault)}.</p>'
    if session["status"] != "open":
        return _page("Checkout", f"<p>This page is over: it is {session['status']}.</p>")
    path = f"/c/pay/{id}"
    buttons = [
        _button(path, "Pay", first=True, card="4242"),
        _button(path, "Pay with a card that is declined", card="0341"),
    ]
    if session["cancel_url"]:
        buttons.append(f'<a class="link" href="{escape(session["cancel_url"])}">Back</a>')
    return _page("Checkout", told + _table(rows) + "".join(buttons))


def pay_checkout(state: State, form: Params, id: str) -> tuple[str | None, str]:
    """Where to go next, or the page that says why not."""
    fault = checkout.pay(state, id, form.get("card", "4242"))
    session = state.get("checkout.session", id)
    if fault is not None:
        return None, show_checkout(state, id, fault)
    return session["success_url"].replace("{CHECKOUT_SESSION_ID}", id), ""


def show_portal(state: State, id: str) -> str:
    session = state.get("billing_portal.session", id)
    customer = state.get("customer", session["customer"])
    path, body = f"/p/session/{id}", ""
    for each in state.all("subscription", customer=customer["id"]):
        if each["status"] not in ENDED:
            body += _subscription(state, each, path)
    card = card_of(state, customer)
    shown = "none" if card is None else f"ends with {card['card']['last4']}"
    body += f"<p>Card: {shown}</p>" + _button(path, "Use a card that pays", do="card", card="4242")
    body += _button(path, "Use a card that is declined", do="card", card="0341")
    rows = []
    for each in state.all("invoice", customer=customer["id"])[::-1]:
        name = escape(each["number"] or "draft")
        link = f'<a href="{escape(each["hosted_invoice_url"] or "#")}">{name}</a> {each["status"]}'
        rows.append((link, money(each["total"], each["currency"])))
    body += _table(rows) + f'<a class="link" href="{escape(session["return_url"] or "/")}">Back</a>'
    return _page("Your subscription", body)


def _subscription(state: State, subscription: Object, path: str) -> str:
    names = [
        f"{each['quantity']} &times; {escape(state.get('product', each['price']['product'])['name'])}"
        for each in subscription["items"]["data"]
    ]
    told = f"<p>{', '.join(names)}: {subscription['status']}</p>"
    if subscription["cancel_at_period_end"]:
        return told + _button(path, "Do not cancel", do="resume", subscription=subscription["id"])
    return told + _button(path, "Cancel at the period's end", do="cancel", subscription=subscription["id"])


def act_in_portal(state: State, form: Params, id: str) -> None:
    session = state.get("billing_portal.session", id)
    customer = state.get("customer", session["customer"])
    match form.get("do"):
        case "card":
            use_card(state, customer, add_card(state, customer, form["card"]))
            for invoice in state.all("invoice", customer=customer["id"], status="open"):
                retry(state, invoice)
        case "cancel" | "resume" as what:
            ends = "true" if what == "cancel" else "false"
            update(state, {"cancel_at_period_end": ends}, form["subscription"])
        case _:
            pass


def show_invoice(state: State, id: str) -> str:
    invoice = state.get("invoice", id)
    rows = [
        (escape(each["description"] or ""), money(each["amount"], each["currency"]))
        for each in invoice["lines"]["data"]
    ]
    rows.append(("<b>Total</b>", f"<b>{money(invoice['total'], invoice['currency'])}</b>"))
    pay = _button(f"/i/{id}", "Pay", first=True) if invoice["status"] == "open" else ""
    return _page(f"Invoice {invoice['number']}", f"<p>{invoice['status']}</p>{_table(rows)}{pay}")


def pay_invoice(state: State, id: str) -> str:
    invoice = state.get("invoice", id)
    customer = state.get("customer", invoice["customer"])
    if invoice["status"] == "open":
        use_card(state, customer, add_card(state, customer, "4242"))
        invoices.pay(state, invoice)
        subscription = invoices.subscription_of(invoice)
        if subscription is not None:
            recover(state, state.get("subscription", subscription))
    return show_invoice(state, id)

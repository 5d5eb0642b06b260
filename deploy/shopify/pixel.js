// Winback's custom pixel for Shopify: docs/guides/browser.md has the steps. Set these lines:
const URL = "https://collect.example/shopify-pixel/my-shop";
const KEY = "PUBLIC_KEY";
// true: names, phone numbers and e-mail addresses of the checkout are sent, too. Shopify's webhooks have them as well.
const WITH_CUSTOMER = false;

const EVENTS = [
  "page_viewed",
  "product_viewed",
  "collection_viewed",
  "search_submitted",
  "product_added_to_cart",
  "product_removed_from_cart",
  "cart_viewed",
  "checkout_started",
  "checkout_contact_info_submitted",
  "checkout_address_info_submitted",
  "checkout_shipping_info_submitted",
  "payment_info_submitted",
  "alert_displayed",
  "checkout_completed",
];

const variantOf = (variant) =>
  variant && { sku: variant.sku, title: variant.title, price: variant.price, product: { title: variant.product?.title } };

const cartOf = (cart) => ({
  id: cart.id,
  cost: { totalAmount: cart.cost?.totalAmount },
  lines: cart.lines?.map((line) => ({ quantity: line.quantity, merchandise: variantOf(line.merchandise) })),
});

const addressOf = (address) =>
  address && {
    firstName: address.firstName,
    lastName: address.lastName,
    phone: address.phone,
    countryCode: address.countryCode,
  };

const checkoutOf = (checkout) => ({
  token: checkout.token,
  currencyCode: checkout.currencyCode,
  totalPrice: checkout.totalPrice,
  order: checkout.order && { id: checkout.order.id },
  lineItems: checkout.lineItems?.map((line) => ({
    title: line.title,
    quantity: line.quantity,
    variant: variantOf(line.variant),
  })),
  localization: { language: { isoCode: checkout.localization?.language?.isoCode } },
  ...(WITH_CUSTOMER && {
    email: checkout.email,
    phone: checkout.phone,
    shippingAddress: addressOf(checkout.shippingAddress),
    billingAddress: addressOf(checkout.billingAddress),
  }),
});

const dataOf = ({ cart, checkout, alert }) => ({
  cart: cart && cartOf(cart),
  checkout: checkout && checkoutOf(checkout),
  alert: alert && { type: alert.type },
});

for (const name of EVENTS) {
  analytics.subscribe(name, (event) => {
    const body = JSON.stringify({
      writeKey: KEY,
      id: event.id,
      name: event.name,
      clientId: event.clientId,
      timestamp: event.timestamp,
      sentAt: new Date().toISOString(),
      context: { document: { location: { pathname: event.context?.document?.location?.pathname } } },
      data: dataOf(event.data || {}),
    });
    fetch(URL, { method: "POST", body, keepalive: true, mode: "no-cors", credentials: "omit" }).catch(() => {});
  });
}

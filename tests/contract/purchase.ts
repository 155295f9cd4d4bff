// Buys something as a guest, with types generated from the OpenAPI document and no type assertion: what does not compile here
// does not compile in a storefront either.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[]; exit(status: number): never };

const [, , url] = process.argv;
if (url === undefined) throw new Error("usage: purchase.js URL");
const shop = createClient<paths>({ baseUrl: url });

type Order = components["schemas"]["Order"];

/** The data of an answer; a problem ends the purchase. */
function expect<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) {
    throw new Error(`${answer.response.url} answers ${answer.response.status}: ${JSON.stringify(answer.error)}`);
  }
  return answer.data;
}

/** A closed set: a new status would not compile. */
function isPaid(status: Order["payment_status"]): boolean {
  switch (status) {
    case "awaiting":
    case "authorized":
    case "on_delivery":
      return false;
    case "paid":
      return true;
    case "partly_refunded":
    case "refunded":
    case "refund_due":
    case "voided":
      throw new Error(`the payment is ${status}`);
    default: {
      const unknown: never = status;
      throw new Error(`unknown status ${String(unknown)}`);
    }
  }
}

const wanted = { q: "espresso cup", attr: { material: "porcelain" }, in_stock: true, limit: 1 };
const found = expect(await shop.GET("/v1/products", { params: { query: wanted } }));
const row = found.items[0];
if (row === undefined) throw new Error("the demo shop sells espresso cups");

const product = expect(await shop.GET("/v1/products/{id}", { params: { path: { id: row.id } } }));
const material: string | number | boolean | undefined = product.attributes["material"];
const variant = product.variants[0];
if (variant === undefined) throw new Error("a published product has a variant");
console.log(`${product.title} of ${material}: ${variant.price.amount} ${variant.price.currency}`);

const cart = expect(await shop.POST("/v1/carts", { body: { currency: "EUR" } }));
if (cart.cart_token === null) throw new Error("a guest gets a token");
const headers = { "Cart-Token": cart.cart_token };
const at = { path: { id: cart.id } };
expect(
  await shop.PUT("/v1/carts/{id}/lines/{variant}", {
    params: { path: { id: cart.id, variant: variant.id } },
    headers,
    body: { quantity: 2 },
  }),
);
expect(
  await shop.PUT("/v1/carts/{id}/address", {
    params: at,
    headers,
    body: {
      country: "DE",
      name: "Ada Lovelace",
      email: "ada@example.org",
      lines: ["Invalidenstraße 43"],
      postal_code: "10115",
      city: "Berlin",
    },
  }),
);
const options = expect(await shop.GET("/v1/carts/{id}/shipping-options", { params: at, headers }));
const service = options.items[0]?.service;
if (service !== undefined) {
  expect(await shop.PUT("/v1/carts/{id}/shipping", { params: at, headers, body: { service } }));
}
const ready = expect(await shop.GET("/v1/carts/{id}", { params: at, headers }));
console.log(`total ${ready.total.amount} ${ready.total.currency}`);

// No body is needed.
const placed = expect(await shop.POST("/v1/carts/{id}/checkout", { params: at, headers }));
const order = { path: { id: placed.id } };
const payment = expect(
  await shop.POST("/v1/orders/{id}/payments", { params: order, headers, body: { provider: "test", token: "tok_success" } }),
);
console.log(`payment ${payment.status}`);

const deadline = Date.now() + 30_000;
while (!isPaid(expect(await shop.GET("/v1/orders/{id}", { params: order, headers })).payment_status)) {
  if (Date.now() > deadline) throw new Error("the order is not paid in time");
  await new Promise((resolve) => setTimeout(resolve, 100));
}

// Problems are typed, too.
const missing = await shop.GET("/v1/orders/{id}", { params: { path: { id: "ord_00000000000000000000000001" } }, headers });
if (missing.error?.code !== "order.missing") throw new Error(`expected order.missing, got ${JSON.stringify(missing.error)}`);
console.log(`order ${placed.number} is paid`);

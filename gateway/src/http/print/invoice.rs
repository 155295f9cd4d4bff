//! The invoices of an order, to be printed: a sheet for the house and for each seller that supplies its part in its own name.

use axum::response::Response;
use byteshop_commands::At;
use byteshop_commands::notify::format;
use byteshop_domain::Locale;
use byteshop_domain::ids::{Id as _, OrderId, SellerId};
use byteshop_domain::money::{Money, MoneyError};
use byteshop_domain::order::{Kept, Line, Number, Order, Part, Placed, Status, Taxed};
use byteshop_domain::pricing::Shipping;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::paper::{Audience, From, Papers, invoice_number, issuer_of, lines_of, tax};
use super::payment::{HowToPay, Paid};
use crate::app::App;
use crate::edge::page::page;
use crate::edge::problem::Problem;
use crate::edge::values::said;
use crate::http::orders::visible::Moments;

/// What one invoice is for: all of an order, or the parts of one supplier.
struct Scope<'a> {
    it: &'a Placed,
    /// None for all of the order.
    parts: Option<Vec<&'a Part>>,
    /// The seller that supplies it; none for the house.
    supplier: Option<SellerId>,
}

/// The taxes on an invoice before and after what was cancelled before the payment.
struct Taxes {
    priced: Vec<Taxed>,
    charged: Vec<Taxed>,
    reduced: Money,
}

impl<'a> Scope<'a> {
    /// What the invoices of an order are for.
    fn all(it: &'a Placed) -> Vec<Self> {
        let suppliers = it.suppliers();
        let is_one = suppliers.len() == 1;
        let scope = |supplier: Option<SellerId>| {
            let parts = it.parts.all().iter().filter(|part| it.supplier_of(part.seller) == supplier);
            Self { it, parts: (!is_one).then(|| parts.collect()), supplier }
        };
        let scopes = suppliers.into_iter().map(scope);
        // What was cancelled before the payment has no invoice.
        scopes.filter(|scope| is_one || scope.is_invoiced()).collect()
    }

    fn is_invoiced(&self) -> bool {
        self.supplier.is_some() || self.it.invoice.is_some()
    }

    fn has(&self, line: &Line) -> bool {
        self.parts.as_ref().is_none_or(|parts| parts.iter().any(|part| part.has(line.variant)))
    }

    /// A sum of its parts.
    fn sum(&self, of: impl Fn(&Part) -> Money) -> Money {
        let parts = self.parts.iter().flatten().copied();
        Money { amount: parts.map(|part| of(part).amount).sum(), ..self.it.placement.total }
    }

    fn total(&self) -> Money {
        if self.parts.is_some() { self.sum(|part| part.payable) } else { self.it.payable() }
    }

    fn subtotal(&self) -> Option<Money> {
        let placement = &self.it.placement;
        let plain = placement.discounts.is_empty() && placement.shippings().next().is_none();
        let subtotal = match &self.parts {
            Some(_) => Some(self.sum(|part| part.sums.subtotal)),
            None => placement.subtotal().ok(),
        };
        subtotal.filter(|_| !plain)
    }

    /// The discounts by promotion; those of a part are one sum, as a promotion is of the whole order.
    fn discounts(&self, locale: Locale) -> Vec<Value> {
        let money = |amount: Money| format::money(amount, locale);
        if self.parts.is_some() {
            let discount = self.sum(|part| part.sums.discount);
            return Vec::from_iter((discount.amount > 0).then(|| json!({"amount": money(discount)})));
        }
        let all = self.it.placement.discounts.iter();
        all.map(|it| json!({"label": it.label, "code": it.code, "amount": money(it.amount)})).collect()
    }

    /// The shipping by service: that of the house, and those of sellers at prices of their own.
    fn shipping(&self, locale: Locale) -> Vec<Value> {
        let placement = &self.it.placement;
        let row = |it: &Shipping, price: Money| json!({"name": it.name, "amount": format::money(price, locale)});
        let Some(parts) = &self.parts else {
            return placement.shippings().map(|it| row(it, it.price.money())).collect();
        };
        let own = |part: &&Part| placement.own_shipping(part.seller).is_some();
        let shared: i64 = parts.iter().copied().filter(|it| !own(it)).map(|it| it.sums.shipping.amount).sum();
        let of_house = placement.shipping.iter().filter(|_| shared > 0);
        let of_house = of_house.map(|it| row(it, Money { amount: shared, ..placement.total }));
        let of_parts = parts.iter().filter_map(|part| placement.own_shipping(part.seller));
        of_house.chain(of_parts.map(|it| row(it, it.price.money()))).collect()
    }

    fn taxes(&self) -> Result<Taxes, MoneyError> {
        let it = self.it;
        let Some(parts) = &self.parts else {
            return Ok(Taxes { priced: it.placement.taxed()?, charged: it.taxed_of_payable()?, reduced: it.reduced() });
        };
        let sellers: Vec<_> = parts.iter().map(|part| part.seller).collect();
        let reduced = self.sum(|part| Money { amount: part.sums.total.amount - part.payable.amount, ..part.payable });
        let priced = Kept::new(&it.placement, &it.parts).taxed_of(&sellers);
        Ok(Taxes { priced, charged: it.kept.taxed_of(&sellers), reduced })
    }

    /// The number of the invoice, and who issues it: what is issued names them as they were then.
    async fn head(&self, app: &App, id: OrderId) -> Result<(String, Value), Problem> {
        let own = self.it.invoices.iter().find(|own| Some(own.supplier.seller) == self.supplier);
        let (number, issuer) = match own {
            Some(own) => (own.number.to_string(), issuer_of(app, &own.supplier).await?),
            // Older invoices did not keep the house as it was.
            None => (invoice_number(id, self.it), self.it.seller.as_ref().unwrap_or(&app.trade.issuer).clone()),
        };
        Ok((number, json!(From::of(&issuer))))
    }
}

/// The invoices of an order as a page.
pub(in crate::http) async fn invoices_page(
    app: &App,
    (id, now): (OrderId, &Placed),
    papers: Papers,
    Audience { locale, missing, with_email }: Audience,
) -> Result<Response, Problem> {
    let Moments { placed: ordered, paid, paid_version } = Moments::of(app, id).await?;
    // What was issued stays as it was issued, whatever becomes of the order.
    let issued = match paid_version {
        Some(version) => app.commands.get_at::<Order>(id, At::Version(version)).await?,
        None => None,
    };
    let it = issued.as_ref().and_then(|issued| issued.state.live().ok()).unwrap_or(now);
    if paid.is_none() && it.progress.status != Status::Open {
        let detail = "there is no invoice of an order that was never paid";
        return Err(Problem::new(http::StatusCode::CONFLICT, "order.not_paid", detail));
    }
    let wanted: Vec<Scope> = Scope::all(it).into_iter().filter(|scope| papers.want(it, scope.supplier)).collect();
    if wanted.is_empty() {
        return Err(Problem::query("part", said("part", "the order has no such part")));
    }
    let mut sheets = Vec::with_capacity(wanted.len());
    for scope in &wanted {
        sheets.push(sheet(app, id, scope, paid, locale).await?);
    }
    let placement = &it.placement;
    let (payment, instructions) = match paid {
        Some(_) => (Paid::of(app, placement.payment, locale).await?, None),
        None => (None, HowToPay::of(app, placement.payment, locale).await?),
    };
    let context = json!({
        "pro_forma": paid.is_none(),
        "order": Number::of(id.uuid()),
        "house": app.trade.issuer.name,
        "missing_settings": missing,
        "buyer": lines_of(app, &placement.destination, locale, with_email).await?,
        "ordered": ordered.map(|at| format::day(at, locale)),
        "issued": paid.map(|at| format::day(at, locale)),
        "pay_by": it.pay_by().filter(|_| paid.is_none()).map(|at| format::moment(at, format::Zone::default(), locale)),
        // Amounts of the whole payment are not those of a part.
        "payment": payment.map(|payment| if it.suppliers().len() > 1 { payment.without_amounts() } else { payment }),
        "instructions": instructions,
        "stage": it.stage(),
        "sheets": sheets,
    });
    page("invoice.html", locale, &context)
}

/// One invoice.
async fn sheet(
    app: &App,
    id: OrderId,
    scope: &Scope<'_>,
    paid: Option<DateTime<Utc>>,
    locale: Locale,
) -> Result<Value, Problem> {
    let it = scope.it;
    let money = |amount: Money| format::money(amount, locale);
    let lines = it.placement.lines.iter().filter(|line| scope.has(line)).map(|line| {
        let off = it.off(line.variant);
        json!({
            "title": line.title, "sku": line.sku, "quantity": line.quantity, "price": money(line.unit_price.money()),
            "net_price": net_price(line).map(money),
            "rate": line.tax.map(|tax| format::rate(tax.rate, locale)), "amount": money(line.amount),
            "off": (off > 0).then_some(off),
        })
    });
    let sums = sums(scope, locale).map_err(|error| {
        tracing::error!(%error, order = %id, "the taxes of an order cannot be summed");
        Problem::internal()
    })?;
    let (number, seller) = scope.head(app, id).await?;
    let is_sent = |line: &Line| scope.has(line) && line.travels() && it.bought(line.variant) > it.off(line.variant);
    Ok(json!({
        "number": paid.map(|_| number),
        "seller": seller,
        "is_of_seller": scope.supplier.is_some(),
        // Directive 2006/112/EC, article 226 (7): what is sent is supplied after its price was paid on account, everything else
        // with the payment.
        "supplied_later": it.placement.lines.iter().any(is_sent),
        "lines": lines.collect::<Vec<_>>(),
        "subtotal": scope.subtotal().map(money),
        "discounts": scope.discounts(locale),
        "shipping": scope.shipping(locale),
        "sums": sums,
        "total": money(scope.total()),
    }))
}

/// The taxes on an invoice, and the amount that was cancelled before payment.
///
/// Each rate is listed once, with the tax charged. If taxes are added to prices, the cancelled amount is therefore
/// shown without its tax.
fn sums(scope: &Scope<'_>, locale: Locale) -> Result<Value, MoneyError> {
    let Taxes { priced, charged, reduced } = scope.taxes()?;
    let (within, on_top): (Vec<&Taxed>, Vec<&Taxed>) = charged.iter().partition(|tax| tax.included);
    let zero = Money::zero(reduced.currency);
    let of_all = priced.iter().filter(|tax| !tax.included).try_fold(zero, |sum, tax| sum.plus(tax.tax))?;
    let not_charged = of_all.minus(on_top.iter().try_fold(zero, |sum, tax| sum.plus(tax.tax))?)?;
    let reduced = reduced.minus(not_charged)?;
    let words = |taxes: Vec<&Taxed>| taxes.into_iter().map(|it| tax(it, locale)).collect::<Vec<_>>();
    Ok(json!({
        "taxed": !priced.is_empty(),
        "reduced": (reduced.amount > 0).then(|| format::money(reduced, locale)),
        "on_top": words(on_top),
        "within": words(within),
    }))
}

/// The unit price without the included tax (EU directive 2006/112/EC, article 226 (8)).
fn net_price(line: &Line) -> Option<Money> {
    let (tax, price) = (line.tax.filter(|tax| tax.included && tax.amount.amount > 0)?, line.unit_price.money());
    price.minus(tax.rate.within(price).ok()?).ok()
}

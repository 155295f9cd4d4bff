//! Rules of stock: nothing is ever sold that is not there.

use proptest::prelude::*;

use super::*;
use crate::decider::Actor;
use crate::testing::{given, golden, id, noon, pieces, text, well_said};

fn opened() -> Event {
    Event::Opened { product: id(1), sku: text("85123A") }
}

fn received(number: i64) -> Event {
    Event::Received { quantity: pieces(number), reason: None }
}

fn reserved(order: u128, number: i64) -> Event {
    Event::Reserved { order: id(order), quantity: pieces(number), expires_at: None }
}

fn reserve(order: u128, number: i64) -> Command {
    Command::Reserve { order: id(order), quantity: pieces(number), expires_at: None }
}

fn lose(number: i64) -> Command {
    Command::Lose { quantity: pieces(number), reason: None }
}

#[test]
fn it_is_opened_once() {
    let open = Command::Open { product: id(1), sku: text("85123A") };
    given::<StockLevel>([]).when(&open).then([opened()]);
    given::<StockLevel>([opened()]).when(&open).then_nothing();
    let other = Command::Open { product: id(2), sku: text("85123A") };
    given::<StockLevel>([opened()]).when(&other).then_refused(Rejection::Exists);
    given::<StockLevel>([]).when(&lose(1)).then_refused(Rejection::Missing);
}

#[test]
fn the_last_piece_is_sold_once() {
    let history = [opened(), received(3), reserved(1, 2)];
    given::<StockLevel>(history.clone()).when(&reserve(2, 1)).then([reserved(2, 1)]);
    given::<StockLevel>(history).when(&reserve(2, 2)).then_refused(Rejection::NotEnough { available: 1 });
}

#[test]
fn an_order_reserves_once() {
    let history = [opened(), received(3), reserved(1, 2)];
    given::<StockLevel>(history.clone()).when(&reserve(1, 2)).then_nothing();
    let otherwise = Rejection::ReservedOtherwise { quantity: pieces(2) };
    given::<StockLevel>(history).when(&reserve(1, 3)).then_refused(otherwise);
}

#[test]
fn a_committed_reservation_leaves_once() {
    let history = [opened(), received(3), reserved(1, 2)];
    let committed = Event::Committed { order: id(1), quantity: pieces(2) };
    given::<StockLevel>(history.clone()).when(&Command::Commit { order: id(1) }).then([committed.clone()]);
    let after = [&history[..], &[committed]].concat();
    given::<StockLevel>(after.clone()).when(&Command::Commit { order: id(1) }).then_nothing();
    given::<StockLevel>(after).when(&lose(2)).then_refused(Rejection::NotEnough { available: 1 });
}

#[test]
fn a_released_reservation_is_for_sale_again_and_cannot_leave() {
    let history = [opened(), received(3), reserved(1, 2)];
    let release = Command::Release { order: id(1), reason: None };
    let released = Event::Released { order: id(1), quantity: pieces(2), reason: None };
    given::<StockLevel>(history.clone()).when(&release).then([released.clone()]);
    let after = [&history[..], &[released]].concat();
    given::<StockLevel>(after.clone()).when(&release).then_nothing();
    given::<StockLevel>(after.clone()).when(&Command::Commit { order: id(1) }).then_refused(Rejection::NotReserved);
    given::<StockLevel>(after).when(&reserve(2, 3)).then([reserved(2, 3)]);
}

#[test]
fn reserved_pieces_are_neither_lost_nor_counted_away() {
    let history = [opened(), received(3), reserved(1, 2)];
    given::<StockLevel>(history.clone()).when(&lose(2)).then_refused(Rejection::Reserved { reserved: 2 });
    given::<StockLevel>(history.clone()).when(&lose(4)).then_refused(Rejection::NotEnough { available: 1 });
    given::<StockLevel>(history.clone()).when(&lose(3)).then_refused(Rejection::Reserved { reserved: 2 });
    given::<StockLevel>(history.clone()).when(&lose(1)).then([Event::Lost { quantity: pieces(1), reason: None }]);
    let count = |on_hand| Command::Count { on_hand };
    given::<StockLevel>(history.clone()).when(&count(1)).then_refused(Rejection::Reserved { reserved: 2 });
    given::<StockLevel>(history.clone()).when(&count(-1)).then_refused(Rejection::OutOfRange);
    given::<StockLevel>(history).when(&count(2)).then([Event::Counted { on_hand: 2 }]);
}

#[test]
fn there_is_never_absurdly_much() {
    let full = [opened(), Event::Counted { on_hand: ON_HAND_MAX }];
    let receive = Command::Receive { quantity: pieces(1), reason: None };
    given::<StockLevel>(full.clone()).when(&receive).then_refused(Rejection::OutOfRange);
    let back = Command::Return { quantity: pieces(1), order: None, reason: None };
    given::<StockLevel>(full).when(&back).then_refused(Rejection::OutOfRange);
    let nearly = [opened(), Event::Counted { on_hand: ON_HAND_MAX - 1 }];
    given::<StockLevel>(nearly).when(&receive).then([received(1)]);
    given::<StockLevel>([opened()]).when(&Command::Count { on_hand: i64::MAX }).then_refused(Rejection::OutOfRange);
}

#[test]
fn the_memory_of_settled_orders_is_bounded() {
    let mut history = vec![opened(), received(1000)];
    for order in 1..=u128::try_from(SETTLED_MAX).unwrap() + 1 {
        history.extend([reserved(order, 1), Event::Committed { order: id(order), quantity: pieces(1) }]);
    }
    given::<StockLevel>(history.clone()).when(&Command::Commit { order: id(2) }).then_nothing();
    given::<StockLevel>(history).when(&Command::Commit { order: id(1) }).then_refused(Rejection::NotReserved);
}

#[test]
fn pieces_lost_in_transit_are_replaced_from_available_ones() {
    let history = [opened(), received(3), reserved(1, 2), Event::Committed { order: id(1), quantity: pieces(2) }];
    let (order, quantity) = (id(1), pieces(2));
    let lost = Event::LostInTransit { order, quantity };
    given::<StockLevel>(history.clone()).when(&Command::LoseInTransit { order, quantity }).then([lost.clone()]);
    let gone = [&history[..], &[lost]].concat();
    assert_eq!(crate::fold::<StockLevel>(&gone).on_hand, 1, "it had left already");
    let few = Rejection::NotEnough { available: 1 };
    given::<StockLevel>(gone.clone()).when(&Command::Replace { order, quantity }).then_refused(few);
    let promised = [&gone[..], &[received(2), reserved(2, 2)]].concat();
    let few = Rejection::NotEnough { available: 1 };
    given::<StockLevel>(promised).when(&Command::Replace { order, quantity }).then_refused(few);
    let more = [&gone[..], &[received(1)]].concat();
    let replaced = Event::Replaced { order, quantity };
    given::<StockLevel>(more.clone()).when(&Command::Replace { order, quantity }).then([replaced.clone()]);
    assert_eq!(crate::fold::<StockLevel>(&[&more[..], &[replaced]].concat()).on_hand, 0);
    let found = Event::FoundInTransit { order, quantity };
    given::<StockLevel>(gone.clone()).when(&Command::FindInTransit { order, quantity }).then([found.clone()]);
    assert_eq!(crate::fold::<StockLevel>(&[&gone[..], &[found]].concat()).on_hand, 1);
}

#[test]
fn generated_keys_never_run_out_and_are_never_on_hand() {
    let reserve = Command::Reserve { order: id(1), quantity: pieces(5), expires_at: None };
    given::<StockLevel>([opened()]).when(&Command::MakeUnlimited {}).then_refused(Rejection::NoKeyPool);
    let imported = [opened(), Event::KeysPooled { gift_cards: false }, received(1)];
    given::<StockLevel>(imported).when(&Command::MakeUnlimited {}).then_refused(Rejection::NotEmpty);
    let pooled = vec![opened(), Event::KeysPooled { gift_cards: false }];
    given::<StockLevel>(pooled.clone()).when(&Command::MakeUnlimited {}).then([Event::Unlimited {}]);
    given::<StockLevel>(pooled.clone()).when(&reserve).then_refused(Rejection::NotEnough { available: 0 });
    let unlimited = [pooled, vec![Event::Unlimited {}]].concat();
    given::<StockLevel>(unlimited.clone()).when(&Command::MakeUnlimited {}).then_nothing();
    given::<StockLevel>(unlimited.clone()).when(&reserve).then([reserved(1, 5)]);
    let count = Command::Count { on_hand: 3 };
    given::<StockLevel>(unlimited.clone()).when(&count).then_refused(Rejection::KeysPooled);
    let promised = [unlimited, vec![reserved(1, 5)]].concat();
    let state = crate::fold::<StockLevel>(&promised);
    assert_eq!((state.on_hand, state.reserved, state.available()), (0, 5, ON_HAND_MAX - 5));
    let sold = [promised.clone(), vec![Event::Committed { order: id(1), quantity: pieces(5) }]].concat();
    let state = crate::fold::<StockLevel>(&sold);
    assert_eq!((state.on_hand, state.reserved, state.available()), (0, 0, ON_HAND_MAX));
    let released = [promised, vec![Event::Released { order: id(1), quantity: pieces(5), reason: None }]].concat();
    assert_eq!(crate::fold::<StockLevel>(&released).available(), ON_HAND_MAX);
}

#[test]
fn downloads_have_no_stock_until_their_pieces_are_counted() {
    let deliver = Command::DeliverDownloads {};
    let endless = vec![opened(), Event::Downloadable {}, Event::Unlimited {}];
    given::<StockLevel>([opened()]).when(&deliver).then(endless[1..].to_vec());
    given::<StockLevel>(endless.clone()).when(&deliver).then_nothing();
    // Counted pieces stay a stock, and so do keys.
    given::<StockLevel>([opened(), received(3)]).when(&deliver).then([Event::Downloadable {}]);
    given::<StockLevel>([opened(), Event::KeysPooled { gift_cards: false }])
        .when(&deliver)
        .then([Event::Downloadable {}]);
    let receive = Command::Receive { quantity: pieces(5), reason: None };
    for refused in [receive, Command::PoolKeys { gift_cards: false }] {
        given::<StockLevel>(endless.clone()).when(&refused).then_refused(Rejection::Unlimited);
    }
    let promised = [endless, vec![reserved(1, 5)]].concat();
    given::<StockLevel>(promised.clone())
        .when(&Command::Count { on_hand: 4 })
        .then_refused(Rejection::Reserved { reserved: 5 });
    let kept = [promised, vec![Event::Counted { on_hand: 7 }]].concat();
    let state = crate::fold::<StockLevel>(&kept);
    assert_eq!((state.on_hand, state.reserved, state.available(), state.unlimited), (7, 5, 2, false));
    given::<StockLevel>(kept).when(&Command::DeliverDownloads {}).then_nothing();
}

#[test]
fn a_download_with_nothing_to_deliver_is_not_sold() {
    let set = |deliverable| Command::SetDeliverable { deliverable };
    let open = vec![opened(), Event::Downloadable {}, Event::Unlimited {}];
    given::<StockLevel>(open.clone()).when(&set(true)).then_nothing();
    given::<StockLevel>(open.clone()).when(&set(false)).then([Event::SaleSuspended {}]);
    let suspended = [&open[..], &[reserved(1, 5), Event::SaleSuspended {}]].concat();
    given::<StockLevel>(suspended.clone()).when(&set(false)).then_nothing();
    given::<StockLevel>(suspended.clone()).when(&reserve(2, 1)).then_refused(Rejection::NotEnough { available: 0 });
    // What was promised before is still sold.
    let committed = Event::Committed { order: id(1), quantity: pieces(5) };
    given::<StockLevel>(suspended.clone()).when(&Command::Commit { order: id(1) }).then([committed]);
    given::<StockLevel>(suspended.clone()).when(&set(true)).then([Event::SaleResumed {}]);
    let resumed = [suspended, vec![Event::SaleResumed {}]].concat();
    assert_eq!(crate::fold::<StockLevel>(&resumed).available(), ON_HAND_MAX - 5);
    // Keys are delivered without a download, and what is no download needs none.
    given::<StockLevel>([opened(), Event::KeysPooled { gift_cards: false }, Event::Downloadable {}])
        .when(&set(false))
        .then_nothing();
    given::<StockLevel>([opened(), received(3)]).when(&set(false)).then_nothing();
    let counted = [opened(), received(2), Event::Downloadable {}, Event::SaleSuspended {}];
    given::<StockLevel>(counted.clone()).when(&reserve(1, 1)).then_refused(Rejection::NotEnough { available: 0 });
    given::<StockLevel>(counted.clone()).when(&lose(2)).then([Event::Lost { quantity: pieces(2), reason: None }]);
    let empty = [&counted[..], &[Event::Counted { on_hand: 0 }]].concat();
    given::<StockLevel>(empty)
        .when(&Command::PoolKeys { gift_cards: false })
        .then([Event::KeysPooled { gift_cards: false }, Event::SaleResumed {}]);
}

#[test]
fn every_stored_form_is_golden() {
    let reason = || Some(text("a pallet"));
    golden(
        include_str!("golden.json"),
        &[
            opened(),
            received(3),
            Event::Received { quantity: pieces(3), reason: reason() },
            Event::Lost { quantity: pieces(1), reason: None },
            Event::Lost { quantity: pieces(1), reason: reason() },
            Event::Returned { quantity: pieces(1), order: None, reason: None },
            Event::Returned { quantity: pieces(1), order: Some(id(1)), reason: reason() },
            Event::LostInTransit { order: id(1), quantity: pieces(1) },
            Event::FoundInTransit { order: id(1), quantity: pieces(1) },
            Event::Replaced { order: id(1), quantity: pieces(1) },
            Event::Counted { on_hand: 0 },
            Event::KeysPooled { gift_cards: false },
            Event::KeysPooled { gift_cards: true },
            Event::Downloadable {},
            Event::Unlimited {},
            Event::SaleSuspended {},
            Event::SaleResumed {},
            reserved(1, 2),
            Event::Reserved { order: id(1), quantity: pieces(2), expires_at: Some(noon()) },
            Event::Committed { order: id(1), quantity: pieces(2) },
            Event::Released { order: id(1), quantity: pieces(2), reason: None },
            Event::Released { order: id(1), quantity: pieces(2), reason: reason() },
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    let numbers = [R::NotEnough { available: 1 }, R::Reserved { reserved: 1 }];
    let others = [R::Missing, R::Exists, R::ReservedOtherwise { quantity: pieces(1) }, R::NotReserved, R::OutOfRange];
    let keys = [R::KeysPooled, R::NoKeyPool, R::NotEmpty, R::Unlimited, R::Downloadable];
    well_said(&[&numbers[..], &others[..], &keys[..]].concat());
}

/// The simplest thing that stock could be.
#[derive(Default)]
struct Model {
    on_hand: i64,
    promised: BTreeMap<OrderId, i64>,
}

impl Model {
    fn reserved(&self) -> i64 {
        self.promised.values().sum()
    }

    /// Does what a command that was accepted asks.
    fn accept(&mut self, command: &Command) {
        match command {
            Command::Open { .. }
            | Command::PoolKeys { .. }
            | Command::MakeUnlimited {}
            | Command::DeliverDownloads {}
            | Command::SetDeliverable { .. }
            | Command::WithdrawKeys { .. }
            | Command::ImportKeys { .. } => {}
            Command::Receive { quantity, .. } | Command::Return { quantity, .. } => self.on_hand += quantity.get(),
            Command::Lose { quantity, .. } | Command::Replace { quantity, .. } => self.on_hand -= quantity.get(),
            Command::LoseInTransit { .. } | Command::FindInTransit { .. } => {}
            Command::Count { on_hand } => self.on_hand = *on_hand,
            Command::Reserve { order, quantity, .. } => {
                self.promised.insert(*order, quantity.get());
            }
            Command::Commit { order } => self.on_hand -= self.promised.remove(order).unwrap_or(0),
            Command::Release { order, .. } => {
                self.promised.remove(order);
            }
        }
    }

    /// Whether a command must be accepted.
    fn must_accept(&self, command: &Command) -> bool {
        let free = self.on_hand - self.reserved();
        match command {
            Command::Lose { quantity, .. } | Command::Replace { quantity, .. } => quantity.get() <= free,
            Command::Count { on_hand } => *on_hand >= self.reserved(),
            Command::Reserve { order, quantity, .. } => match self.promised.get(order) {
                Some(held) => *held == quantity.get(),
                None => quantity.get() <= free,
            },
            // Refused or nothing, when it is not promised.
            Command::Commit { order } => self.promised.contains_key(order),
            Command::Open { .. }
            | Command::Receive { .. }
            | Command::Return { .. }
            // Of a variant without keys, they are refused or open the pool; none of them is tried here.
            | Command::PoolKeys { .. }
            | Command::MakeUnlimited {}
            | Command::DeliverDownloads {}
            | Command::ImportKeys { .. }
            | Command::WithdrawKeys { .. }
            | Command::LoseInTransit { .. }
            | Command::FindInTransit { .. }
            | Command::Release { .. }
            | Command::SetDeliverable { .. } => true,
        }
    }
}

fn any_command() -> impl Strategy<Value = Command> {
    let quantity = || (1..=6i64).prop_map(pieces);
    let order = || (1..=4u128).prop_map(id::<OrderId>);
    prop_oneof![
        quantity().prop_map(|quantity| Command::Receive { quantity, reason: None }),
        quantity().prop_map(|quantity| Command::Lose { quantity, reason: None }),
        quantity().prop_map(|quantity| Command::Return { quantity, order: None, reason: None }),
        (order(), quantity()).prop_map(|(order, quantity)| Command::Replace { order, quantity }),
        (order(), quantity()).prop_map(|(order, quantity)| Command::LoseInTransit { order, quantity }),
        (order(), quantity()).prop_map(|(order, quantity)| Command::FindInTransit { order, quantity }),
        (-2..12i64).prop_map(|on_hand| Command::Count { on_hand }),
        (order(), quantity()).prop_map(|(order, quantity)| Command::Reserve { order, quantity, expires_at: None }),
        order().prop_map(|order| Command::Commit { order }),
        order().prop_map(|order| Command::Release { order, reason: None }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_sequence_of_commands_oversells(commands in proptest::collection::vec(any_command(), 1..60)) {
        let asked = Asked { at: noon(), by: Actor::System { name: "test".to_owned() } };
        let mut state = StockLevel::default().evolve(&opened());
        let mut model = Model::default();
        for command in &commands {
            let must = model.must_accept(command);
            match state.decide(command, &asked) {
                Ok(events) => {
                    prop_assert!(must || events.is_empty(), "{command:?} was accepted");
                    if must {
                        model.accept(command);
                    }
                    state = events.iter().fold(state, StockLevel::evolve);
                }
                Err(rejection) => prop_assert!(!must, "{command:?} was refused: {rejection}"),
            }
            prop_assert!(0 <= state.reserved && state.reserved <= state.on_hand);
            prop_assert_eq!(state.on_hand, model.on_hand);
            prop_assert_eq!(state.reserved, model.reserved());
            prop_assert_eq!(state.reservations.len(), model.promised.len());
        }
    }
}

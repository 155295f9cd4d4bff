//! States: long histories, what is remembered of them, and what is not.

use byteshop_commands::Rejected;
use byteshop_domain::ids::VariantId;

use super::*;

/// Appends so many receipts of one piece each to the stock of a variant, behind the back of the shop.
async fn receive_often(shop: &WriteSide, variant: VariantId, after: i64, count: i64) {
    let stream = StreamId::of::<StockLevel>(variant);
    let received = stock::Event::Received { quantity: Quantity::new(1).unwrap(), reason: None };
    let encoded = codec::encode(&received).unwrap();
    let meta = serde_json::json!({
        "actor": {"kind": "system", "name": "test"}, "command": "stock.receive",
        "request_id": Clock.new_id(), "correlation_id": Clock.new_id(),
    });
    let events = (after + 1..=after + count).map(|version| NewEvent {
        id: Clock.new_id(),
        stream: stream.clone(),
        version,
        event_type: encoded.event_type.clone(),
        schema: encoded.schema,
        data: encoded.data.clone(),
        meta: meta.to_string().into(),
        correlation: Clock.new_id(),
        recorded_at: Clock.now(),
    });
    let append = Append { expect: vec![(stream.clone(), after)], events: events.collect(), receipt: None };
    let outcomes = byteshop_eventstore::append::append(&mut shop.log.writer().await.unwrap(), &[append]).await;
    assert!(matches!(outcomes.unwrap()[0], Outcome::Accepted { .. }));
}

#[tokio::test]
async fn a_long_history_is_read_to_its_end() {
    let url = fresh_database().await;
    let here = WriteSide::start(&url).await;
    let variant = here.product("LONG-1", 100, 5).await;
    let before = here.commands.get::<StockLevel>(variant).await.unwrap().unwrap().version;
    receive_often(&here, variant, before, 2_100).await;
    let there = WriteSide::start(&url).await;
    assert_eq!(there.stock(variant).await.on_hand, 2_105);
    for (version, on_hand) in [(before + 1_500, 1_505), (before + 9_000, 2_105)] {
        let was = there.commands.get_at::<StockLevel>(variant, At::Version(version)).await.unwrap().unwrap();
        assert_eq!(was.state.on_hand, on_hand);
    }
    let all = there
        .commands
        .gather::<StockLevel, _>(variant, |event| matches!(event, stock::Event::Received { .. }).then_some(()));
    assert_eq!(all.await.unwrap().len(), 2_101);
}

#[tokio::test]
async fn what_exists_is_remembered_and_unknown_ids_are_not() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let (known, unknown) = (shop.product("KNOWN-1", 100, 5).await, VariantId::from_uuid(Clock.new_id()));
    let fresh = Commands::new(
        shop.log.clone(),
        byteshop_commands::Appender::new(shop.log.clone(), |_| {}, tokio_util::sync::CancellationToken::new()).0,
        byteshop_tests::servers::data_keys(),
        byteshop_commands::Connected::emulators(),
    );
    assert!(fresh.glimpse::<StockLevel>(known).is_none());
    let found = fresh.get_all::<StockLevel>(&[unknown, known]).await.unwrap();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
    assert_eq!(fresh.glimpse::<StockLevel>(known).map(|seen| seen.on_hand), Some(5));
    assert!(fresh.glimpse::<StockLevel>(unknown).is_none());
}

#[tokio::test]
async fn memory_tells_what_is_recent_until_a_look_finds_something_newer() {
    let url = fresh_database().await;
    let (here, there) = (WriteSide::start(&url).await, WriteSide::start(&url).await);
    let variant = here.product("RECENT-1", 100, 5).await;
    let recent = async || there.commands.recent::<StockLevel>(variant).await.map(|seen| seen.state.on_hand);
    let forgotten = async || recent().await.is_none().then_some(());
    assert_eq!(recent().await, None, "it was never read");
    assert_eq!(there.stock(variant).await.on_hand, 5);
    assert_eq!(recent().await, Some(5));
    here.receive(variant, 1).await;
    eventually("a look finds what came in", forgotten).await;
    assert_eq!((there.stock(variant).await.on_hand, recent().await), (6, Some(6)));
    // More than one look covers: whatever was in memory counts as unknown, and is read.
    let before = there.commands.get::<StockLevel>(variant).await.unwrap().unwrap().version;
    receive_often(&here, variant, before, 10_001).await;
    eventually("a look finds much", forgotten).await;
    assert_eq!((there.stock(variant).await.on_hand, recent().await), (10_007, Some(10_007)));
    there.receive(variant, 1).await;
    assert_eq!(recent().await, Some(10_008), "its own appends need no look");
}

#[tokio::test]
async fn what_a_refused_command_had_decided_is_not_remembered() {
    let shop = WriteSide::start(&fresh_database().await).await;
    let variant = shop.product("REFUSED-1", 100, 5).await;
    let refused = shop.run("stock.receive", |unit| async move {
        let mut level = unit.load::<StockLevel>(variant).await?;
        receive(&unit, &mut level, Quantity::new(3).unwrap(), None)?;
        Err::<(), _>(Rejected::missing("stock").into())
    });
    assert_eq!(code(&refused.await.unwrap_err()), "stock.missing");
    assert_eq!(shop.stock(variant).await.on_hand, 5);
    shop.receive(variant, 1).await;
    assert_eq!(shop.stock(variant).await.on_hand, 6);
}

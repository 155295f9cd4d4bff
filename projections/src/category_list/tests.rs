//! Folds of category_list.

use byteshop_domain::ids::Id as _;

use super::*;
use crate::testing::{event, rows, text};

#[test]
fn a_category_is_renamed_moved_and_closed() {
    let root = CategoryId::from_uuid(uuid::Uuid::from_u128(1));
    let created = |parent| Event::Created { name: text("Kitchen"), slug: text("kitchen"), parent };
    let rows = rows::<CategoryList>(vec![
        event::<Category>(1, &created(None)),
        event::<Category>(2, &created(None)),
        event::<Category>(2, &Event::Renamed { name: text("Knives") }),
        event::<Category>(2, &Event::Moved { parent: Some(root) }),
        event::<Category>(1, &Event::Ranked { rank: 3 }),
        event::<Category>(2, &Event::Archived {}),
    ]);
    assert_eq!(rows.len(), 2);
    let row = rows.values().nth(1).unwrap();
    assert_eq!((row.name.to_string(), row.parent, row.archived), ("Knives".to_owned(), Some(root), true));
    assert_eq!(
        serde_json::to_string(&rows.values().next()).unwrap(),
        r#"{"id":"cat_00000000000000000000000001","name":"Kitchen","slug":"kitchen","parent":null,"rank":3,"attributes":[],"archived":false}"#
    );
}

//! Who may call the routes of sellers and of their products: called by members of the seller, and of another one.

use byteshop_gateway::edge::access::{Access, Belongs, Route};
use byteshop_tests::people::Person;
use byteshop_tests::shop::{Answer, TestShop};

use super::{Things, admitted, call, code, routes, written_after};

/// Whether a route is about sellers, or about things that may be theirs.
fn of_sellers((_, access): &(&Route, &Access)) -> bool {
    matches!(access.belongs, Belongs::Members | Belongs::SellerOwners)
}

/// Calls a route about the seller or its product, with a file where a file is wanted.
async fn ask(shop: &TestShop, things: &Things, route: &Route, person: &Person) -> Answer {
    let path = things.path(&route.1, false).replace(&things.product, &things.sold.0);
    let path = path.replace(&things.variant, &things.sold.1);
    let path = path.replace(&things.owned_shipment, &things.sold_shipment);
    let path = path.replace(&things.owned_return, &things.sold_return);
    if route.0 == "POST" && route.1.ends_with("/images") {
        let file = shop.post(&path).header("Content-Type", "image/png").body("no image");
        return file.by(&person.token).send().await;
    }
    call(shop, route, &path).by(&person.token).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_seller_has_is_for_its_members() {
    let shop = TestShop::start().await;
    let things = Things::make(&shop).await;
    let routes = || routes().into_iter().filter(of_sellers);
    assert!(routes().count() >= 20);
    let before = shop.at_rest().await;
    for (route, access) in routes() {
        let rival = ask(&shop, &things, route, &things.rival).await;
        let told = rival.status == 404 || (rival.status, code(&rival)) == (403, "product.not_yours");
        assert!(told, "{route:?} by the member of another seller: {}", rival.body);
        let public = route.1.starts_with("/v1/products") || route.1.starts_with("/v1/variants");
        assert!(public || rival.status == 404, "{route:?}: {}", rival.body);
        if access.belongs == Belongs::SellerOwners {
            let clerk = ask(&shop, &things, route, &things.clerk).await;
            assert_eq!((clerk.status, code(&clerk)), (403, "seller.owners_only"), "{route:?}: {}", clerk.body);
        }
    }
    assert_eq!(written_after(&shop, before).await, [""; 0], "a refusal wrote something");
    for (route, access) in routes() {
        // The account, the image, the payout and the seller of a new product are not named, and the variant has neither keys nor downloads.
        let unnamed = [
            "seller.no_such_member",
            "seller.no_invoice",
            "product.no_such_image",
            "product.not_yours",
            "key_pool.missing",
            "payout.missing",
            "promotion.missing",
            "digital_good.missing",
            "digital_good.no_such_file",
        ];
        let done = |answer: &Answer| {
            let missing = answer.status == 404 || code(answer) == "product.not_yours";
            admitted(answer) && (!missing || unnamed.contains(&code(answer)))
        };
        if access.belongs == Belongs::Members {
            let clerk = ask(&shop, &things, route, &things.clerk).await;
            assert!(done(&clerk), "{route:?} by a member: {}", clerk.body);
        }
        let owner = ask(&shop, &things, route, &things.owner).await;
        assert!(done(&owner), "{route:?} by an owner: {}", owner.body);
    }
}

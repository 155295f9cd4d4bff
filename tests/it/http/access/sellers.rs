//! Who may call the routes of sellers and of their products: called by members of the seller, and of another one.

use byteshop_gateway::edge::access::{Access, Belongs};
use byteshop_tests::shop::TestShop;

use super::{Things, admitted, call, code, routes, written_after};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_seller_has_is_for_its_members() {
    let shop = TestShop::start().await;
    let things = Things::make(&shop).await;
    let of_sellers = |access: &Access| matches!(access.belongs, Belongs::Members | Belongs::SellerOwners);
    let of_sellers = || routes().into_iter().filter(move |(_, access)| of_sellers(access));
    assert!(of_sellers().count() >= 7);
    let before = shop.at_rest().await;
    for (route, access) in of_sellers() {
        let path = things.path(&route.1, false);
        let rival = call(&shop, route, &path).by(&things.rival.token).send().await;
        assert!(rival.status == 404, "{route:?} by the member of another seller: {}", rival.body);
        if access.belongs == Belongs::SellerOwners {
            let clerk = call(&shop, route, &path).by(&things.clerk.token).send().await;
            assert_eq!((clerk.status, code(&clerk)), (403, "seller.owners_only"), "{route:?}: {}", clerk.body);
        }
    }
    assert_eq!(written_after(&shop, before).await, [""; 0], "a refusal wrote something");
    for (route, access) in of_sellers() {
        let path = things.path(&route.1, false);
        if access.belongs == Belongs::Members {
            let clerk = call(&shop, route, &path).by(&things.clerk.token).send().await;
            assert!(admitted(&clerk) && clerk.status != 404, "{route:?} by a member: {}", clerk.body);
        }
        let owner = call(&shop, route, &path).by(&things.owner.token).send().await;
        // The account in the path is nobody's.
        let nobody = code(&owner) == "seller.no_such_member";
        assert!(admitted(&owner) && (owner.status != 404 || nobody), "{route:?} by an owner: {}", owner.body);
    }
}

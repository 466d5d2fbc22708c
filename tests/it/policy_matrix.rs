//! Who may do what, printed: a change of the policy is a change of this file, seen and agreed to.
//! Rewrite it with `GUERDON_TEST_UPDATE=1 cargo test --test it policy_matrix`.

use guerdon_domain::access::matrix;

#[test]
fn the_policy_is_the_one_on_file() {
    crate::golden::compare("policy_matrix.txt", &matrix());
}

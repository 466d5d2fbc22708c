//! Examples that vendors and standards publish, each with its source. Where a source is wrong or ambiguous, the exact figure is
//! computed and both readings are expressed.

use serde_json::json;

use super::*;

/// Microsoft Dynamics 365, rebate management deals: two lines, A = 10 % up to 1,000, B = 25 % up to 2,500; 2,000 sold.
/// <https://github.com/MicrosoftDocs/dynamics-365-unified-operations-public/blob/main/articles/supply-chain/rebate-management/rebate-management-deals.md>
mod dynamics {
    use super::*;

    fn deal(scope: &str) -> Value {
        json!({ "method": { "bands": { "scope": scope, "bands": [{ "from": 0, "rate": "10 %" }, { "from": 1000, "to": 2500, "rate": "25 %" }] } } })
    }

    #[test]
    fn we_01_stepped_is_marginal() {
        assert_eq!(amount(&one_line(deal("MARGINAL"), "2000.00", "1")), "350.00");
        // Above the closed last band nothing more is earned.
        assert_eq!(amount(&one_line(deal("MARGINAL"), "9000.00", "1")), "475.00");
    }

    #[test]
    fn cumulative_is_retroactive() {
        assert_eq!(amount(&one_line(deal("RETROACTIVE"), "2000.00", "1")), "500.00");
    }

    #[test]
    fn we_03_rolling() {
        assert_eq!(amount(&one_line(deal("ROLLING"), "2000.00", "1")), "600.00");
        assert_eq!(amount(&one_line(deal("ROLLING"), "999.99", "1")), "100.00");
    }

    #[test]
    fn total_pays_every_reached_line_on_everything() {
        assert_eq!(amount(&one_line(deal("TOTAL"), "2000.00", "1")), "700.00");
    }

    /// WE-40: a guarantee of 10,000 a quarter; 12,000 earned in the first, 5,000 in the second. Cumulative: 8,000 are guaranteed in the
    /// second, so 3,000 are added; otherwise 5,000.
    #[test]
    fn we_40_guarantee() {
        for (cumulative, second) in [(true, "8000.00"), (false, "10000.00")] {
            let program = program_of(with(flat("10 %"), json!({ "guarantee": { "amount": 10000, "cumulative": cumulative } })));
            let facts = facts_of(&program, json!({ "transactions": [sale("1", "2024-01-10", "120000.00", "1"), sale("2", "2024-04-10", "50000.00", "1")] }));
            assert_eq!(amount(&entitlement(&program, &facts, "2024-Q1")), "12000.00");
            let entitled = entitlement(&program, &facts, "2024-Q2");
            assert_eq!(amount(&entitled), second);
            let step = entitled.steps.iter().find(|step| step.step == StepKind::Guarantee).unwrap();
            let top_up = step.after.sub(&step.before).unwrap().to_string();
            assert_eq!(top_up, if cumulative { "3000" } else { "5000" });
        }
    }
}

/// The dictionary of methods by their many names, as a program with its own tests.
#[test]
fn the_method_dictionary_holds() {
    let text = include_str!("../../../../../examples/programs/rebate-dictionary.yaml");
    let document = read::read(text, read::Format::Yaml).unwrap_or_else(|faults| panic!("{faults}"));
    let program = Program::compile(document).unwrap_or_else(|faults| panic!("{faults}"));
    let results = crate::scenario::run_scenarios(&program);
    assert_eq!(results.len(), 2);
    for result in results {
        assert!(result.passed(), "{result:?}");
    }
}

/// WE-05, ClaimDS: slabs of 1 % to 50 lakh, 1.5 % to 1 crore, 2 % above; 1.2 crore. <https://claimds.com/blog/volume-rebates>
#[test]
fn we_05_same_slabs_two_methods() {
    let slabs = [("0", "1 %"), ("5000000", "1.5 %"), ("10000000", "2 %")];
    let in_rupees = |scope: &str| with(bands(scope, &slabs), json!({ "currency": "INR" }));
    let sold = json!([{ "id": "1", "date": "2024-02-01", "amount": "12000000.00", "currency": "INR" }]);
    assert_eq!(amount(&lines(in_rupees("MARGINAL"), sold.clone())), "165000.00");
    assert_eq!(amount(&lines(in_rupees("RETROACTIVE"), sold)), "240000.00");
}

fn growth(pay_on: &str, bands: &[(&str, &str)], more: Value) -> Value {
    let bands: Vec<Value> = bands.iter().map(|(from, rate)| json!({ "from": from, "rate": rate })).collect();
    let method = with(json!({ "baseline": { "samePeriodLastYear": {} }, "payOn": pay_on, "bands": bands }), more);
    json!({ "method": { "growth": method } })
}

/// WE-07, Enable: bands 110 % -> 2 %, 115 % -> 3 %, 120 % -> 4 %; 2,350,000 on 2,000,000 (117.5 %), three settings.
/// <https://help-center.enable.com/hc/en-gb/articles/19135118086802-Fully-retrospective>
#[test]
fn we_07_growth_in_three_settings() {
    let rows = [("1.1", "2 %"), ("1.15", "3 %"), ("1.2", "4 %")];
    let sold = json!([sale("0", "2023-02-01", "2000000.00", "1"), sale("1", "2024-02-01", "2350000.00", "1")]);
    for (pay_on, expected) in [("EVERYTHING", "70500.00"), ("INCREMENT", "10500.00"), ("INCREMENT_BY_BAND", "3500.00")] {
        assert_eq!(amount(&lines(growth(pay_on, &rows, json!({})), sold.clone())), expected, "{pay_on}");
    }
    // Growth below the first band earns nothing.
    let little = json!([sale("0", "2023-02-01", "2000000.00", "1"), sale("1", "2024-02-01", "2199999.99", "1")]);
    for pay_on in ["EVERYTHING", "INCREMENT", "INCREMENT_BY_BAND"] {
        assert_eq!(amount(&lines(growth(pay_on, &rows, json!({})), little.clone())), "0.00", "{pay_on}");
    }
}

/// WE-08, Phocas: 5 % for 0 to 10,000, 10 % for 10,000 to 50,000. Both brackets print 10,000 as a bound: marginal bands pay the same
/// on either reading. <https://helpphocassoftware.atlassian.net/wiki/spaces/userdoc/pages/590377/Rebates+calculation+methods>
#[test]
fn we_08_percentage_brackets() {
    for (spend, expected) in [("6000.00", "300.00"), ("8000.00", "400.00"), ("20000.00", "1500.00"), ("10000.00", "500.00")] {
        assert_eq!(amount(&one_line(bands("MARGINAL", &[("0", "5 %"), ("10000", "10 %")]), spend, "1")), expected);
    }
    // Retroactive bands do not: at exactly 10,000 the owner of the bound decides.
    let owner = |inclusive: bool| {
        let mut schedule = bands("RETROACTIVE", &[("0", "5 %"), ("10000", "10 %")]);
        schedule["method"]["bands"]["upperInclusive"] = json!(inclusive);
        amount(&one_line(schedule, "10000.00", "1"))
    };
    assert_eq!((owner(false).as_str(), owner(true).as_str()), ("1000.00", "500.00"));
}

/// WE-10, Phocas: growth above 5 % earns 20 % on the whole period; 740,044.18 on 621,238. The text gives 148,008.84; the printed
/// 127,850.96 does not follow from it. Paid on part of the sales only, it is 20 % of 639,254.80.
/// <https://helpphocassoftware.atlassian.net/wiki/pages/viewpage.action?pageId=3487006761>
#[test]
fn we_10_retrospective_growth() {
    let sold = json!([
        { "id": "0", "date": "2023-02-01", "amount": "621238.00" },
        { "id": "1", "date": "2024-02-01", "amount": "639254.80", "attributes": { "eligible": "639254.80" } },
        { "id": "2", "date": "2024-02-02", "amount": "100789.38" },
    ]);
    let schedule = growth("EVERYTHING", &[("1.05", "20 %")], json!({ "upperInclusive": true }));
    let entitled = lines(schedule.clone(), sold.clone());
    assert_eq!((entitled.exact.to_string().as_str(), amount(&entitled).as_str()), ("148008.836", "148008.84"));
    let eligible = with(schedule, json!({ "basis": { "attribute": "eligible" }, "qualifier": "amount" }));
    assert_eq!(amount(&lines(eligible, sold)), "127850.96");
}

/// WE-12, NetSuite: tiers 1-100 -> 5, 101-350 -> 10, 351-500 -> 15 a unit, by the amount of each line; item A 2 x 30, item B 1 x 200. The
/// printed formula names tier 1 twice; the second must be tier 2.
/// <https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_25172236752.html>
#[test]
fn we_12_each_line_banded_alone() {
    let schedule = json!({
        "basis": "quantity", "qualifier": "amount", "grain": "LINE",
        "method": { "bands": { "scope": "MARGINAL", "upperInclusive": true, "bands": [
            { "from": 0, "amountPerUnit": 5 }, { "from": 100, "amountPerUnit": 10 }, { "from": 350, "to": 500, "amountPerUnit": 15 },
        ] } },
    });
    let sold = json!([sale("A", "2024-02-01", "60.00", "2"), sale("B", "2024-02-02", "200.00", "1")]);
    let entitled = lines(schedule.clone(), sold.clone());
    assert_eq!(parts(&entitled), ["10.00", "7.50"]);
    // Over the period, item A's 60 would use up tier 1: 40 of B's 200 lie in it.
    let period = with(schedule, json!({ "grain": "PERIOD" }));
    assert_eq!(parts(&lines(period, sold)), ["10.00", "9.00"]);
}

/// WE-15, Oracle: 1 % to 10,000, 2 % to 50,000, 3 % above; the split is printed, the money follows.
/// <https://docs.oracle.com/cd/G38197_01/trans/F77870-04/options-for-splitting-attainment-numbers-across-rate-tiers.html>
#[test]
fn we_15_step_split() {
    let table = bands("MARGINAL", &[("0", "1 %"), ("10000", "2 %"), ("50000", "3 %")]);
    for (attained, expected, split) in [("15000.00", "200.00", vec!["10000", "5000"]), ("60000.00", "1200.00", vec!["10000", "40000", "10000"])] {
        let entitled = one_line(table.clone(), attained, "1");
        assert_eq!(amount(&entitled), expected);
        assert_eq!(entitled.bands.iter().map(|band| band.base.to_string()).collect::<Vec<_>>(), split);
    }
}

/// WE-17, Oracle 24B: 1 % to 1,000, 2 % to 5,000, 3 % to 10,000, 0 % above; 2,500 gives a blended 1.6 %.
/// <https://docs.oracle.com/en/cloud/saas/readiness/sales/24b/salm-24b/24B-spm-wn-f31649.htm>
#[test]
fn we_17_blended_step_rate() {
    let entitled = one_line(bands("MARGINAL", &[("0", "1 %"), ("1000", "2 %"), ("5000", "3 %"), ("10000", "0 %")]), "2500.00", "1");
    assert_eq!(entitled.exact.div(&entitled.basis).unwrap().unwrap().to_string(), "0.016");
    assert_eq!(entitled.bands.iter().map(|band| band.base.to_string()).collect::<Vec<_>>(), ["1000", "1500"]);
}

/// WE-19, Lago: 1 % + 200 to 1,000, 2 % + 300 to 10,000, 3 % + 400 above; 500, 550 and 4,000 in order.
/// <https://getlago.com/docs/guide/plans/charges/charge-models/graduated-percentage>
#[test]
fn we_19_state_carried_between_transactions() {
    let schedule = json!({ "method": { "bands": { "scope": "MARGINAL", "upperInclusive": true, "bands": [
        { "from": 0, "rate": "1 %", "onEntry": 200 }, { "from": 1000, "rate": "2 %", "onEntry": 300 }, { "from": 10000, "rate": "3 %", "onEntry": 400 },
    ] } } });
    let sold = json!([sale("1", "2024-02-01", "500.00", "1"), sale("2", "2024-02-02", "550.00", "1"), sale("3", "2024-02-03", "4000.00", "1")]);
    let entitled = lines(schedule.clone(), sold);
    assert_eq!(parts(&entitled), ["205.00", "306.00", "80.00"]);
    // The order matters to each line, not to the sum.
    let reversed = json!([sale("3", "2024-02-01", "4000.00", "1"), sale("2", "2024-02-02", "550.00", "1"), sale("1", "2024-02-03", "500.00", "1")]);
    let other = lines(schedule, reversed);
    assert_eq!((amount(&entitled), amount(&other)), ("591.00".to_owned(), "591.00".to_owned()));
    assert_eq!(parts(&other), ["570.00", "11.00", "10.00"]);
}

/// WE-21, Lago: 0 to 250 at 0, above 250 at 0.02: 250 units cost nothing, 251 cost 0.02. <https://github.com/getlago/lago-front/pull/3489>
#[test]
fn we_21_who_owns_the_bound() {
    let schedule = json!({ "basis": "quantity", "method": { "bands": { "scope": "MARGINAL", "upperInclusive": true, "bands": [
        { "from": 0, "amountPerUnit": 0 }, { "from": 250, "amountPerUnit": "0.02" },
    ] } } });
    assert_eq!(amount(&one_line(schedule.clone(), "0.00", "250")), "0.00");
    assert_eq!(amount(&one_line(schedule, "0.00", "251")), "0.02");
}

/// WE-25, Kong: the first 1,000 at 0 with a flat 500, the next 1,000 at 0.1; 2,000 units. The flat sum is due even at zero.
/// <https://github.com/Kong/developer.konghq.com/pull/4888>
#[test]
fn we_25_flat_fee_in_the_first_tier() {
    let schedule = json!({ "basis": "quantity", "method": { "bands": { "scope": "MARGINAL", "bands": [
        { "from": 0, "amountPerUnit": 0, "onEntry": 500 }, { "from": 1000, "amountPerUnit": "0.1" },
    ] } } });
    assert_eq!(amount(&one_line(schedule.clone(), "0.00", "2000")), "600.00");
    assert_eq!(amount(&one_line(schedule.clone(), "0.00", "0")), "500.00");
    assert_eq!(amount(&lines(schedule, json!([]))), "500.00");
}

/// WE-26, Blacksmith: 1.50 from 1, 2.00 from 250, 3.00 from 400 cases; 300 cases; the second tier pays to the first case.
/// <https://help.prod.blacksmithtpm.com/doku.php?do=export_xhtml&id=growth_rebates_explained>
#[test]
fn we_26_pay_to_first() {
    let schedule = |to_first: bool| {
        json!({ "basis": "quantity", "method": { "bands": { "scope": "MARGINAL", "upperInclusive": true, "bands": [
            { "from": 0, "amountPerUnit": "1.5" }, { "from": 249, "amountPerUnit": 2, "backToFirst": to_first }, { "from": 399, "amountPerUnit": 3 },
        ] } } })
    };
    assert_eq!(amount(&one_line(schedule(true), "0.00", "300")), "600.00");
    assert_eq!(amount(&one_line(schedule(false), "0.00", "300")), "475.50");
    // A band above the marked one pays its own slice: 399 x 2 + 1 x 3.
    assert_eq!(amount(&one_line(schedule(true), "0.00", "400")), "801.00");
    assert_eq!(amount(&one_line(schedule(true), "0.00", "249")), "373.50");
}

/// WE-27, Blacksmith: growth thresholds. (a) 1,000 cases and any growth (0.01): 'greater than 1000.01' or a minimum of 1,000.01;
/// (b) 10,000 cases and 1,000 more. <https://help.prod.blacksmithtpm.com/doku.php?do=diff&id=growth_rebates&rev=1750103783>
#[test]
fn we_27_growth_thresholds() {
    let cases = |baseline: &str, from: &str, inclusive: bool, quantity: &str| {
        let schedule = json!({ "basis": "quantity", "method": { "growth": {
            "baseline": { "given": baseline }, "payOn": "EVERYTHING", "measured": "ABSOLUTE", "upperInclusive": inclusive,
            "bands": [{ "from": from, "amountPerUnit": 2 }],
        } } });
        amount(&one_line(schedule, "0.00", quantity))
    };
    assert_eq!(cases("1000", "0.01", true, "1000.01"), "0.00");
    assert_eq!(cases("1000", "0.01", false, "1000.01"), "2000.02");
    assert_eq!(cases("1000", "0.01", true, "1000.02"), "2000.04");
    assert_eq!((cases("10000", "1000", true, "11000"), cases("10000", "1000", true, "11001")), ("0.00".to_owned(), "22002.00".to_owned()));
}

/// WE-29, Speedy Labs: 5 % of 100,000; 2 a unit on 5,000 and 10,000 units; 40,000 a year in four parts; a lump sum at a target.
/// <https://blog.speedylabs.ai/rebate-types>
#[test]
fn we_29_fixed_rate_unit_rate_apportioned_sum() {
    assert_eq!(amount(&one_line(flat("5 %"), "100000.00", "1")), "5000.00");
    let per_unit = json!({ "basis": "quantity", "method": { "perUnit": { "amount": 2 } } });
    assert_eq!(amount(&one_line(per_unit.clone(), "0.00", "5000")), "10000.00");
    assert_eq!(amount(&one_line(per_unit, "0.00", "10000")), "20000.00");
    let fixed = json!({ "method": { "fixed": { "amount": 10000 } } });
    assert_eq!(amount(&lines(fixed, json!([]))), "10000.00");
    let lump = json!({ "method": { "lumpSum": { "targets": [{ "at": 500_000, "amount": 50000 }, { "at": 1_000_000, "amount": 100_000 }] } } });
    for (sold, expected) in [("499999.99", "0.00"), ("500000.00", "50000.00"), ("999999.99", "50000.00"), ("1000000.00", "100000.00")] {
        assert_eq!(amount(&one_line(lump.clone(), sold, "1")), expected);
    }
    let each = json!({ "method": { "lumpSum": { "pay": "EACH", "targets": [{ "at": 500_000, "amount": 50000 }, { "at": 1_000_000, "amount": 100_000 }] } } });
    assert_eq!(amount(&one_line(each, "1000000.00", "1")), "150000.00");
}

/// WE-34, Channel Mechanics: 3 % to 10 % of a deal of 500,000 is 15,000 to exactly 50,000; 'well over' contradicts the ceiling.
/// <https://channelmechanics.com/blog-channel-rebate/>
#[test]
fn we_34_range_on_a_deal() {
    assert_eq!(amount(&one_line(flat("3 %"), "500000.00", "1")), "15000.00");
    assert_eq!(amount(&one_line(flat("10 %"), "500000.00", "1")), "50000.00");
}

/// WE-35, Infor LN: 100 pieces at 50 with 1 % discount print a net amount of 49,500, which is ten times too much: it is 4,950.
/// <https://docs.infor.com/ln/10.7/en-us/lnolh/help/td/onlinemanual/000344.html>
#[test]
fn we_35_quantity_break() {
    let discount = |amount: &str| one_line(flat("1 %"), amount, "100").exact;
    assert_eq!(Exact::from_int(5000).sub(&discount("5000.00")).unwrap().to_string(), "4950");
    assert_eq!(Exact::from_int(50000).sub(&discount("50000.00")).unwrap().to_string(), "49500");
}

/// WE-42, Microsoft CSP booster: 2.5 % of revenue, forfeited below 200, at most 12,000. The bounds are reached at 8,000 and 480,000.
/// <https://microsoft.alef.com/cee-cloud-solution-provider-booster-incentive-campaign/>
#[test]
fn we_42_minimum_payout_and_ceiling() {
    let booster = with(flat("2.5 %"), json!({ "minimumPayout": { "amount": 200 }, "cap": { "amount": 12000 } }));
    for (revenue, expected) in [("7999.00", "0.00"), ("8000.00", "200.00"), ("479999.00", "11999.98"), ("480000.00", "12000.00"), ("900000.00", "12000.00")] {
        assert_eq!(amount(&one_line(booster.clone(), revenue, "1")), expected, "{revenue}");
    }
}

/// WE-47, IFRS 15: 10 for the first 100,000 boxes, 9 to 200,000, 8 above. 150,000 boxes are 1,450,000; 30,000 boxes at the exact
/// average are 290,000, not 290,100. <https://annualreporting.info/ifrs-15-volume-discounts-and-margin-guarantees/>
#[test]
fn we_47_average_price_is_not_rounded_first() {
    let prices = json!({ "basis": "quantity", "method": { "bands": { "scope": "MARGINAL", "bands": [
        { "from": 0, "amountPerUnit": 10 }, { "from": 100_000, "amountPerUnit": 9 }, { "from": 200_000, "amountPerUnit": 8 },
    ] } } });
    let expected = one_line(prices, "0.00", "150000").exact;
    assert_eq!(expected.to_string(), "1450000");
    let average = expected.div(&Exact::from_int(150_000)).unwrap().unwrap();
    assert_eq!(average.to_string(), "29/3");
    assert_eq!(average.mul(&Exact::from_int(30_000)).unwrap().to_string(), "290000");
}

/// WE-49, JD Edwards: 100.00 at 100 widgets, 500.00 at 500: totals, so 400.00 are still due after 100.00. A second table: 50.00 at 100
/// units, 15 % of the total at 500.
/// <https://docs.oracle.com/en/applications/jd-edwards/supply-management/9.2/eoapr/understanding-purchase-limits.html>
#[test]
fn we_49_thresholds_are_totals() {
    let schedule = json!({
        "period": { "month": {} }, "qualifier": "quantity", "cumulative": true,
        "method": { "lumpSum": { "targets": [{ "at": 100, "amount": 100 }, { "at": 500, "amount": 500 }] } },
    });
    let program = program_of(schedule);
    let facts = facts_of(&program, json!({ "transactions": [sale("1", "2024-01-10", "1000.00", "100"), sale("2", "2024-02-10", "4000.00", "400")] }));
    assert_eq!(amount(&entitlement(&program, &facts, "2024-01")), "100.00");
    assert_eq!(amount(&entitlement(&program, &facts, "2024-02")), "400.00");
    assert_eq!(amount(&entitlement(&program, &facts, "2024-03")), "0.00");
    let mixed = json!({ "qualifier": "quantity", "method": { "bands": { "scope": "RETROACTIVE", "bands": [
        { "from": 100, "to": 500, "rate": "0 %" }, { "from": 500, "rate": "15 %" },
    ] } } });
    assert_eq!(amount(&one_line(mixed, "5000.00", "500")), "750.00");
}

/// WE-51, OCA agreement_rebate: earlier settlements count. 50 were settled at 1,000; after 11,500 more, all units at 20 % are 2,500
/// in all, of which 50 are taken off. <https://github.com/OCA/agreement/issues/36>
#[test]
fn we_51_earlier_settlements_are_not_forgotten() {
    let table = bands("RETROACTIVE", &[("0", "5 %"), ("1000.01", "10 %"), ("10000", "20 %")]);
    let program = program_of(with(table, json!({ "period": { "month": {} }, "cumulative": true })));
    let facts = facts_of(&program, json!({ "transactions": [sale("1", "2024-01-10", "1000.00", "1"), sale("2", "2024-02-10", "11500.00", "1")] }));
    assert_eq!(amount(&entitlement(&program, &facts, "2024-01")), "50.00");
    let second = entitlement(&program, &facts, "2024-02");
    assert_eq!(amount(&second), "2450.00");
    // The rise of the rate on January's sale is its own line.
    assert_eq!(parts(&second), ["150.00", "2300.00"]);
}

/// WE-57, Siebel: 5,000 cases at 1.50 accrue 7,500.
/// <https://docs.oracle.com/cd/E14004_01/books/ConSecSIA/ConSecSIATradeFunds7.html>
#[test]
fn we_57_accrual_fund() {
    assert_eq!(amount(&one_line(json!({ "method": { "perUnit": { "amount": "1.5" } } }), "0.00", "5000")), "7500.00");
}

/// WE-63 and WE-65, points: one for each full 100, 1,000 or 900. <https://knowledge.hubspot.com/partner-tools/earn-managed-mrr-credit>,
/// <https://github.com/frappe/erpnext/issues/33550>
#[test]
fn we_63_we_65_points_per_package() {
    let points = |size: u32, packages: &str, quantity: &str| {
        one_line(json!({ "method": { "perPackage": { "size": size, "amount": 1, "packages": packages } } }), "0.00", quantity).exact.to_string()
    };
    assert_eq!(points(100, "FLOOR", "1000"), "10");
    assert_eq!((points(1000, "FLOOR", "196000"), points(900, "FLOOR", "196000")), ("196".to_owned(), "217".to_owned()));
    assert_eq!((points(900, "CEIL", "196000"), points(900, "PRORATE", "196000")), ("218".to_owned(), "1960/9".to_owned()));
}

/// WE-80, Medicaid: 13 % of 0.357911 is 0.0465284 to seven places; exactly 0.04652843.
/// <https://www.medicaid.gov/medicaid/prescription-drugs/medicaid-drug-rebate-program/unit-rebate-calculation/unit-rebate-amount-calculation-for-non-innovator-multiple-source-drugs/index.html>
#[test]
fn we_80_unit_rebate_is_exact() {
    let unit = json!({ "basis": { "attribute": "amp" }, "method": { "flat": { "rate": "13 %" } } });
    let entitled = lines(unit, json!([{ "id": "1", "date": "2024-02-01", "amount": "0.00", "attributes": { "amp": "0.357911" } }]));
    assert_eq!(entitled.exact.to_string(), "0.04652843");
    let seven = crate::rounding::RoundingMode::HalfUp.round_scaled(&entitled.exact, 7).unwrap();
    assert_eq!(seven, 465_284);
}

/// WE-71, either-or tiers: Bronze, Silver, Gold and Platinum earn 15, 20, 25 and 30 %. Which of two measures decides the tier is a matter
/// of the ladder; the commission follows the tier on record. <https://my.laksana.app/help/partner-program/partner-program-tiers>
#[test]
fn we_71_commission_by_tier() {
    let schedule = json!({ "method": { "flat": { "rate": { "default": "15 %", "tiers": { "SILVER": "20 %", "GOLD": "25 %", "PLATINUM": "30 %" } } } } });
    let program = program_of(schedule);
    for (tier, expected) in [(None, "150.00"), (Some("SILVER"), "200.00"), (Some("GOLD"), "250.00"), (Some("PLATINUM"), "300.00")] {
        let held: Vec<Value> = tier.iter().map(|tier| json!({ "tier": tier, "from": "2024-01-01" })).collect();
        let facts = facts_of(&program, json!({ "assignments": held, "transactions": [sale("1", "2024-02-01", "1000.00", "1")] }));
        assert_eq!(amount(&entitlement(&program, &facts, "2024-Q1")), expected);
    }
}

/// WE-82, Medicaid line extension: 23.1 % of 300 are 69.30, against 50 over the best price: the better counts. The baseline of 100 at
/// 200/170 is 117.6470588, so that 182.3529412 are additional: rounded once, after the subtraction.
/// <https://www.medicaid.gov/medicaid/prescription-drugs/medicaid-drug-rebate-program/unit-rebate-calculation/s-or-i-line-extension-drugs/unit-rebate-amount-calculation-example-for-line-extension-s-or-i-drugs/index.html>
#[test]
fn we_82_the_better_of_two_and_an_exact_difference() {
    let part = |key: &str, attribute: &str, rate: &str| {
        schedule_of(json!({ "key": key, "basis": { "attribute": attribute }, "method": { "flat": { "rate": rate } } }))
    };
    let schedules = json!([part("percent", "amp", "23.1 %"), part("overBest", "overBestPrice", "100 %")]);
    let program = program_with(schedules, json!([{ "bestOf": { "schedules": ["percent", "overBest"] } }]));
    let line = json!({ "id": "1", "date": "2024-02-01", "amount": "0.00", "attributes": { "amp": "300", "overBestPrice": "50" } });
    let facts = facts_of(&program, json!({ "transactions": [line] }));
    let result = compute(&program, &facts, "2024-Q1").unwrap();
    assert_eq!((amount(result.of("percent").unwrap()), amount(result.of("overBest").unwrap())), ("69.30".to_owned(), "0.00".to_owned()));
    let adjusted = Exact::from_int(100).mul(&Exact::ratio(200, 170).unwrap()).unwrap();
    let seven = |value: Exact| crate::rounding::RoundingMode::HalfUp.round_scaled(&value, 7).unwrap();
    assert_eq!((seven(adjusted.clone()), seven(Exact::from_int(300).sub(&adjusted).unwrap())), (1_176_470_588, 1_823_529_412));
}

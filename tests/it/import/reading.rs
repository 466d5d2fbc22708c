use std::io::{Cursor, Read};
use std::sync::Arc;

use guerdon::import::mapping::read_mapping;
use guerdon::import::rejects::RejectsWriter;
use guerdon::import::rows::{Line, Row, Rows};

const SALES: &str = r"
kind: TRANSACTIONS
source: erp
members:
  id: {columns: [order, line], separator: '/'}
  partner: dealer
  date: {column: day, format: '%d.%m.%Y'}
  amount: {column: betrag, number: {decimal: ',', group: '.', strip: ['€']}}
  currency: {constant: EUR}
  kind: {column: art, aliases: {V: SALE, R: RETURN}, default: V}
attributes:
  segment: segment
  seats: {column: seats, type: NUMBER}
";
const HEADER: &str = "order,line,dealer,day,betrag,art,segment,seats\n";

fn open(mapping: &str, file: impl Into<Vec<u8>>) -> Rows {
    Rows::open(&read_mapping(mapping).unwrap(), Box::new(Cursor::new(file.into())), Arc::default()).unwrap()
}

fn lines(mapping: &str, file: impl Into<Vec<u8>>) -> Vec<Line> {
    open(mapping, file).map(Result::unwrap).collect()
}

fn faults(line: &Line) -> Vec<(&str, &str)> {
    line.row.as_ref().unwrap_err().iter().map(|fault| (fault.code.as_str(), fault.path.as_str())).collect()
}

#[test]
fn a_line_becomes_a_row_by_the_mapping_alone() {
    let read = lines(SALES, format!("\u{feff}{HEADER}A1,7,P9,31.12.2019,\"1.234,50 €\",R,\"big, blue\",12\n\"A2\",1, P9 ,01.01.2020,-5,,,\n"));
    let Ok(Row::Transaction(partner, first)) = &read[0].row else { panic!("{:?}", read[0]) };
    assert_eq!((partner.as_str(), first.id.as_str(), first.amount.0.as_str()), ("P9", "A1/7", "1234.50"));
    assert_eq!(serde_json::to_value(first.kind).unwrap(), "RETURN");
    assert_eq!((first.date.to_string(), first.currency.unwrap().code(), first.source.as_deref()), ("2019-12-31".into(), "EUR", Some("erp")));
    assert_eq!(serde_json::to_value(&first.attributes).unwrap(), serde_json::json!({"seats": 12, "segment": "big, blue"}));
    let Ok(Row::Transaction(partner, second)) = &read[1].row else { panic!("{:?}", read[1]) };
    assert_eq!((partner.as_str(), second.amount.0.as_str(), second.attributes.len()), ("P9", "-5", 0));
    assert_eq!(serde_json::to_value(second.kind).unwrap(), "SALE");
    assert_eq!((read[0].record.line, read[1].record.line), (2, 3));
}

#[test]
fn all_that_is_wrong_with_a_line_is_told_with_line_and_column() {
    let read = lines(SALES, format!("{HEADER}A1,,P9,2019-12-31,\"1,234.50\",X,,many\nA2,1,,31.12.2019,\"0,005\",V,,\nA3,1\n"));
    assert_eq!(
        faults(&read[0]),
        [
            ("MISSING_VALUE", "line 2, column order+line"),
            ("INVALID_DATE", "line 2, column day"),
            ("UNKNOWN_VALUE", "line 2, column art"),
            ("INVALID_DECIMAL", "line 2, column betrag"),
            ("INVALID_DECIMAL", "line 2, column seats"),
        ]
    );
    assert_eq!(faults(&read[1]), [("MISSING_VALUE", "line 3, column dealer"), ("TOO_MANY_DECIMALS", "line 3, column betrag")]);
    assert_eq!(faults(&read[2]), [("WRONG_NUMBER_OF_FIELDS", "line 4")]);
}

#[test]
fn broken_text_is_a_fault_of_its_line_and_reading_goes_on() {
    let mut file = HEADER.as_bytes().to_vec();
    file.extend(b"A1,1,P\xff,31.12.2019,5,V,,\nA2,1,P9,31.12.2019,5,V,\"two\nlines\",\nA3,1,P\x009,31.12.2019,5,V,,\n");
    let read = lines(SALES, file);
    assert_eq!(faults(&read[0]), [("INVALID_UTF8", "line 2, column dealer")]);
    assert!(read[1].row.is_ok(), "an attribute may have two lines: {:?}", read[1].row);
    assert_eq!(faults(&read[2]), [("CONTROL_CHARACTER", "line 5, column dealer")]);
}

#[test]
fn columns_must_be_known_and_present() {
    let open = |mapping: &str, file: &str| {
        let opened = Rows::open(&read_mapping(mapping).unwrap(), Box::new(Cursor::new(file.as_bytes().to_vec())), Arc::default());
        opened.map(drop).unwrap_err().0.into_iter().map(|fault| (fault.code, fault.message)).collect::<Vec<_>>()
    };
    let found = open(SALES, "order,line,dealer,day,betrag,art,segment,colour\n");
    assert_eq!(found.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>(), ["MISSING_COLUMN", "UNKNOWN_COLUMN"]);
    assert!(found[0].1.contains("\"seats\"") && found[1].1.contains("\"colour\""));
    assert_eq!(open(SALES, "")[0].0, "EMPTY_FILE");
    assert_eq!(open(SALES, "order,order,line\n")[0].0, "DUPLICATE_COLUMN");
    assert_eq!(lines(&format!("{SALES}ignoreOthers: true\n"), format!("x,{HEADER}1,A,1,P,01.01.2020,1,V,,\n")).len(), 1);
    assert_eq!(lines(&format!("{SALES}ignore: [x]\n"), format!("x,{HEADER}1,A,1,P,01.01.2020,1,V,,\n")).len(), 1);
}

#[test]
fn json_lines_keep_their_figures_exactly() {
    let mapping = r"
kind: TRANSACTIONS
format: JSONL
source: shop
members: {id: id, partner: dealer.code, date: date, amount: total, currency: currency}
ignore: [notes]
";
    let good = r#"{"id": 17, "dealer": {"code": "P9"}, "date": "2019-12-31", "total": 99999999999999.99, "currency": "USD", "notes": {"a": [1]}}"#;
    let text = format!(
        "\u{feff}{good}\n\n{{\"id\": 1, \"id\": 2}}\n[1]\n{{\"id\": [1], \"dealer\": {{\"code\": null}}, \"date\": \"x\", \"total\": 1e3, \"currency\": \"usd\", \"extra\": 1}}\n"
    );
    let read = lines(mapping, text);
    let Ok(Row::Transaction(partner, sale)) = &read[0].row else { panic!("{:?}", read[0]) };
    assert_eq!((partner.as_str(), sale.id.as_str(), sale.amount.0.as_str()), ("P9", "17", "99999999999999.99"));
    assert_eq!(faults(&read[1]), [("DUPLICATE_COLUMN", "line 3")]);
    assert_eq!(faults(&read[2]), [("MALFORMED_JSON", "line 4")]);
    let codes: Vec<&str> = faults(&read[3]).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["UNKNOWN_COLUMN", "NOT_A_VALUE", "MISSING_VALUE", "INVALID_DATE", "INVALID_DECIMAL", "UNKNOWN_CURRENCY"]);
}

#[test]
fn an_inclusive_expiry_means_the_day_after() {
    let mapping = "kind: HOLDINGS\nsource: lms\nmembers:\n  id: id\n  partner: p\n  kind: {constant: CERTIFICATION}\n  type: {column: t, asKey: true}\n  person: who\n  since: from\n  until: {column: to, inclusiveExpiry: true}\n";
    let read = lines(mapping, "id,p,t,who,from,to\n1,P,Bike Fitting,ann,2019-01-01,2019-12-31\n2,P,x,bob,2019-01-01,\n3,P,x,cem,2019-01-02,2018-12-31\n");
    let Ok(Row::Holding(_, first)) = &read[0].row else { panic!("{:?}", read[0]) };
    assert_eq!((first.r#type.as_deref(), first.until.unwrap().to_string().as_str()), (Some("BIKE_FITTING"), "2020-01-01"));
    assert!(matches!(&read[1].row, Ok(Row::Holding(_, second)) if second.until.is_none()));
    assert_eq!(faults(&read[2]), [("DATES_OUT_OF_ORDER", "line 4, column to")]);
}

#[test]
fn every_kind_can_be_read() {
    let cases = [
        ("kind: PARTNERS\nmembers: {code: a, type: b, region: c, status: {constant: SUSPENDED}}\n", "a,b,c\n1,T,R\n"),
        ("kind: PRODUCTS\nmembers: {code: a, category: b, from: c}\n", "a,b,c\n1,T,2020-01-01\n"),
        ("kind: ACTIVITIES\nsource: s\nmembers: {id: a, partner: b, date: c, kind: {constant: CSAT}, value: {constant: '4.5'}}\n", "a,b,c\n1,T,2020-01-01\n"),
        (
            "kind: DEALS\nsource: s\nmembers: {id: a, partner: b, openedOn: c, outcome: {constant: WON}, value: {constant: 5}, currency: {constant: JPY}}\n",
            "a,b,c\n1,T,2020-01-01\n",
        ),
        ("kind: EXCHANGE_RATES\nmembers: {from: a, to: b, date: {constant: 2020-01-01}, rate: c}\n", "a,b,c\nEUR,USD,1.1234\n"),
    ];
    for (mapping, file) in cases {
        let read = lines(mapping, file);
        assert!(read.len() == 1 && read[0].row.is_ok(), "{mapping}: {read:?}");
    }
    let read = lines("kind: EXCHANGE_RATES\nmembers: {from: a, to: b, date: {constant: 2020-01-01}, rate: c}\n", "a,b,c\nEUR,EUR,0\n");
    assert_eq!(faults(&read[0]), [("OUT_OF_RANGE", "line 2, column c"), ("SAME_CURRENCY", "line 2, column b")]);
    let read = lines("kind: DEALS\nsource: s\nmembers: {id: a, partner: b, openedOn: c, value: {constant: 5}}\n", "a,b,c\n1,T,2020-01-01\n");
    assert_eq!(read[0].row.as_ref().unwrap_err()[0].code, "MISSING_VALUE");
}

#[test]
fn rejected_lines_can_be_mended_and_read_by_the_same_mapping() {
    let rows = open(SALES, format!("{HEADER}A1,1,P9,31.12.2019,oops,V,\"a \"\"b\"\"\",\nA2,2\n"));
    let mut sink = Vec::new();
    let mut rejects = RejectsWriter::new(&mut sink, &rows.columns()).unwrap();
    for line in rows {
        let line = line.unwrap();
        rejects.write(&line.record, &line.row.unwrap_err()).unwrap();
    }
    assert_eq!(rejects.finish().unwrap(), 2);
    let text = String::from_utf8(sink).unwrap();
    assert!(text.contains("line 2, column betrag"), "{text}");
    let again = lines(SALES, text.replace(",oops,", ",\"1,5\",").replace("A2,2,", "A2,2,P9").into_bytes());
    assert!(again[0].row.is_ok(), "{:?}", again[0].row);
    assert_eq!(again.len(), 2);
}

/// A file without end whose first quote is never closed.
struct Endless(u64);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let start: &[u8] = b"order,line,dealer,day,betrag,art,segment,seats\n\"A";
        if self.0 == 0 {
            buffer[..start.len()].copy_from_slice(start);
            self.0 = 1;
            return Ok(start.len());
        }
        buffer.fill(b'x');
        Ok(buffer.len())
    }
}

#[test]
fn a_quote_that_is_never_closed_does_not_swallow_the_memory() {
    let mapping = read_mapping(SALES).unwrap();
    let read: Vec<_> = Rows::open(&mapping, Box::new(Endless(0)), Arc::default()).unwrap().collect();
    let fault = read.last().unwrap().as_ref().unwrap_err();
    assert_eq!((fault.code.as_str(), fault.path.as_str(), read.len()), ("RECORD_TOO_LONG", "line 2", 1));
}

#[test]
fn other_delimiters_and_files_without_a_header() {
    let mapping =
        "kind: PRODUCTS\ndelimiter: \"\\t\"\nheader: [code, group]\nmembers: {code: code, category: {column: group, aliases: {b: BIKES}, onlyAliases: true}}\n";
    let read = lines(mapping, "1\tb\r\n2\tc\r\n\r\n3\tc\r4\td");
    assert_eq!(faults(&read[2]), [("UNKNOWN_VALUE", "line 4, column group")]);
    assert_eq!(faults(&read[3]), [("UNKNOWN_VALUE", "line 5, column group")]);
    assert!(matches!(&read[0].row, Ok(Row::Product(product)) if product.category == "BIKES" && product.code == "1"));
    assert_eq!(faults(&read[1]), [("UNKNOWN_VALUE", "line 2, column group")]);
}

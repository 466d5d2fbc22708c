use guerdon_domain::document::read;
fn main() {
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).unwrap();
        match read::read(&text, read::Format::Yaml) {
            Ok(document) => {
                let n = document.scenarios.len();
                match guerdon_domain::program::Program::compile(document) {
                    Ok(_) => println!("{path}: ok, {n} scenarios"),
                    Err(faults) => println!("{path}: REFUSED\n{faults:#?}"),
                }
            }
            Err(faults) => println!("{path}: UNREADABLE\n{faults:#?}"),
        }
    }
}

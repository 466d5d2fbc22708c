//! `guerdon evaluate`: cases in, answers out, a line each, in the same order, without a database.

mod line;
mod programs;

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use guerdon_domain::document::read::read_json;
use guerdon_domain::document::schema::schema_of;
use guerdon_domain::evaluate::{CaseInput, Refusal, evaluate_written};
use guerdon_domain::fault::{Fault, Faults};
use serde_json::Value;

use super::Outcome;
use crate::error::AppError;
use line::{Read, read_line};
use programs::Programs;

/// Cases that wait for a free hand.
const WAITING: usize = 1_024;
/// Cases that are answered together.
const TOGETHER: usize = 256;
/// The stack of a thread that answers: requirement trees and formulas are walked recursively.
const STACK_BYTES: usize = 32 * 1024 * 1024;

/// Answer cases: JSON Lines in, JSON Lines out, without a database.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Read cases from this file; standard input when nobody says.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Write answers to this file; standard output when nobody says.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How many cases are answered at a time. Default: one for each processor.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Print the JSON Schema of a case instead.
    #[arg(long)]
    schema: bool,
}

/// Runs the command. A refused case is an answer: the exit code is 0 when every line was answered.
pub fn run(args: &Args) -> Outcome {
    if args.schema {
        super::program::write_text(&format!("{:#}\n", schema_of::<CaseInput>("Guerdon case")), None)?;
        return Ok(ExitCode::SUCCESS);
    }
    let cannot = |path: &PathBuf, error: io::Error| AppError::invalid("CANNOT_OPEN", path.display().to_string(), format!("cannot be opened: {error}"));
    let input: Box<dyn BufRead + Send> = match &args.input {
        Some(path) => Box::new(BufReader::new(File::open(path).map_err(|error| cannot(path, error))?)),
        None => Box::new(BufReader::new(io::stdin())),
    };
    let output: Box<dyn Write + Send> = match &args.output {
        Some(path) => Box::new(File::create(path).map_err(|error| cannot(path, error))?),
        None => Box::new(io::stdout()),
    };
    let jobs = args.jobs.or_else(|| thread::available_parallelism().ok().map(usize::from)).unwrap_or(1).clamp(1, 64);
    match stream(input, output, jobs) {
        // Whoever reads the answers has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(AppError::invalid("CANNOT_READ_OR_WRITE", "", format!("cannot go on: {error}"))),
        Ok(()) => Ok(ExitCode::SUCCESS),
    }
}

/// Reads, answers in order, writes. Whoever waits for an answer before sending the next case gets it.
fn stream(input: Box<dyn BufRead + Send>, output: Box<dyn Write + Send>, jobs: usize) -> io::Result<()> {
    let (send, receive) = sync_channel(WAITING);
    let reader = thread::Builder::new().name("cases".to_owned()).spawn(move || read_all(input, &send))?;
    let written = answer_all(&receive, output, jobs);
    drop(receive);
    let read = if written.is_ok() { reader.join().unwrap_or_else(|_| Err(io::Error::other("the reader failed"))) } else { Ok(()) };
    written.and(read)
}

fn read_all(mut input: Box<dyn BufRead + Send>, send: &SyncSender<Read>) -> io::Result<()> {
    while let Some(line) = read_line(&mut input)? {
        if send.send(line).is_err() {
            break;
        }
    }
    Ok(())
}

fn answer_all(receive: &Receiver<Read>, output: Box<dyn Write + Send>, jobs: usize) -> io::Result<()> {
    let mut output = BufWriter::new(output);
    let programs = Programs::default();
    while let Ok(first) = receive.recv() {
        let mut cases = vec![first];
        cases.extend(receive.try_iter().take(TOGETHER - 1));
        for answer in answer_together(&programs, &cases, jobs)? {
            output.write_all(answer.as_bytes())?;
            output.write_all(b"\n")?;
        }
        output.flush()?;
    }
    Ok(())
}

/// Answers in order, shared among threads.
fn answer_together(programs: &Programs, cases: &[Read], jobs: usize) -> io::Result<Vec<String>> {
    let share = cases.len().div_ceil(jobs);
    thread::scope(|scope| {
        let hand = |part| thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, move || answer_part(programs, part));
        let hands: Vec<_> = cases.chunks(share).map(hand).collect::<io::Result<_>>()?;
        let mut answers = Vec::with_capacity(cases.len());
        for hand in hands {
            answers.extend(hand.join().map_err(|_| io::Error::other("a hand failed"))?);
        }
        Ok(answers)
    })
}

fn answer_part(programs: &Programs, cases: &[Read]) -> Vec<String> {
    let guarded = |case| catch_unwind(AssertUnwindSafe(|| answer(programs, case))).unwrap_or_else(|_| refuse(None, internal()));
    cases.iter().map(guarded).collect()
}

fn internal() -> Faults {
    Fault::new("INTERNAL", "", "the case could not be answered: this is a fault of the service, please report it with the case").into()
}

/// One answer, as a line.
fn answer(programs: &Programs, case: &Read) -> String {
    let text = match case {
        Read::Line(text) => text,
        Read::Refused(fault) => return refuse(None, fault.clone().into()),
    };
    let mut id = None;
    match answer_case(programs, text, &mut id) {
        Ok(line) => line,
        Err(faults) => refuse(id, faults),
    }
}

fn answer_case(programs: &Programs, text: &str, id: &mut Option<Value>) -> Result<String, Faults> {
    // An inline program is looked up by its text, so that it is read once however often it comes.
    let inline = line::program_of(text).and_then(|place| Some((text.get(..place.start)?, text.get(place.clone())?, text.get(place.end..)?)));
    let value = match inline {
        Some((before, _, after)) => read_json(&format!("{before}null{after}")).or_else(|_| read_json(text)),
        None => read_json(text),
    };
    let value = value?;
    *id = value.get("id").cloned();
    let program_of = |written: &Value| match (inline, written) {
        (Some((_, program, _)), Value::Null) => programs.inline(program),
        (_, Value::String(path)) => programs.file(path),
        (_, Value::Object(document)) => programs.inline(&Value::Object(document.clone()).to_string()),
        _ => Err(Fault::new("WRONG_TYPE", "", "write a program document, or the path of a file that holds one").into()),
    };
    let answer = evaluate_written(value, program_of)?;
    serde_json::to_string(&answer).map_err(|_| internal())
}

fn refuse(id: Option<Value>, faults: Faults) -> String {
    serde_json::to_string(&Refusal::of(id, faults))
        .unwrap_or_else(|_| r#"{"error":{"code":"INTERNAL","path":"","message":"the case could not be answered"},"errors":[]}"#.to_owned())
}

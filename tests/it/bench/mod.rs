//! `guerdon bench` on tiny sizes: what it makes is the same each time, and what it prints can be read.

mod levelling;
mod rebates;
mod seed;

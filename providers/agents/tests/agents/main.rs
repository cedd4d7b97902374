//! The provider from outside: documents in, inventory out.

#[cfg(test)]
mod calls;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod common;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod table;
#[cfg(test)]
mod workflows;

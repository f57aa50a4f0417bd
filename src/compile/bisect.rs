//! Finds the application of a pass after which something is no longer as it should be.
//!
//! Applications are numbered in the order in which they run, and a compilation can be told to run
//! only the first so many. If the result is good with none and bad with all, one of them makes the
//! difference; halving finds one in as many compilations as the count of applications has bits.
//! Where the answer goes to and fro on the way, one of the changes from good to bad is found.

use bpf::object::Object;
use passes::{Event, UnknownPass};

use super::{Basis, Choices, CompileOptions, Compiled, again, compile_with, judged};

/// An application of a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its number, from 1.
    pub number: u64,
    /// The pass.
    pub pass: &'static str,
    /// The function.
    pub function: String,
}

/// What makes the difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Culprit {
    /// Nothing: the result is good with all passes.
    Nothing,
    /// No pass: the result is bad without any.
    NoPass,
    /// No pass: the result of the first round is good, and bad once it is compiled again without any.
    SecondRound,
    /// This one.
    Pass(Application),
}

/// Finds the culprit, in both rounds where there are two. The judge says whether a result is good;
/// its errors end the search.
///
/// # Errors
/// The options name a pass that does not exist, or the judge's.
pub fn bisect<E: From<UnknownPass>>(
    object: &Object,
    options: &CompileOptions,
    mut is_good: impl FnMut(&Compiled) -> Result<bool, E>,
) -> Result<Culprit, E> {
    // The gate would hide a change.
    let basis = Basis {
        before: &judged(object, options),
        judge: None,
        choices: &Choices::new(),
    };
    let culprit = search(object, options, &mut is_good, |object, options, sink| {
        again::compile(object, options, sink, basis)
    })?;
    if let Culprit::Pass(application) = &culprit {
        let before = application.number - 1;
        let begun = again::begun(object, &limited(options, before), before, basis)?;
        if let Some(begun) = begun
            && !is_good(&begun)?
        {
            return Ok(Culprit::SecondRound);
        }
    }
    Ok(culprit)
}

/// The same in one round, for who looks at rounds one by one. What the basis has for a gate is left
/// out.
pub(super) fn in_one_round<E: From<UnknownPass>>(
    object: &Object,
    options: &CompileOptions,
    basis: Basis<'_>,
    is_good: impl FnMut(&Compiled) -> Result<bool, E>,
) -> Result<Culprit, E> {
    let basis = Basis {
        judge: None,
        ..basis
    };
    search(object, options, is_good, |object, options, sink| {
        compile_with(object, options, sink, basis)
    })
}

type Sink<'s> = &'s mut dyn FnMut(Event<'_>);

fn search<E: From<UnknownPass>>(
    object: &Object,
    options: &CompileOptions,
    mut is_good: impl FnMut(&Compiled) -> Result<bool, E>,
    compile: impl Fn(&Object, &CompileOptions, Sink<'_>) -> Result<Compiled, UnknownPass>,
) -> Result<Culprit, E> {
    let mut applications = Vec::new();
    let all = limited(options, u64::MAX);
    let compiled = compile(object, &all, &mut |event| {
        if let Event::Bisect {
            number,
            pass,
            function,
            ..
        } = event
        {
            applications.push(Application {
                number,
                pass,
                function: function.to_owned(),
            });
        }
    })?;
    if is_good(&compiled)? {
        return Ok(Culprit::Nothing);
    }
    let mut try_first = |count: usize| {
        let compiled = compile(object, &limited(options, count as u64), &mut |_| {})?;
        is_good(&compiled)
    };
    if !try_first(0)? {
        return Ok(Culprit::NoPass);
    }
    // Good with the first `good` applications, bad with the first `bad`.
    let (mut good, mut bad) = (0, applications.len());
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if try_first(middle)? {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Ok(match applications.into_iter().nth(good) {
        Some(application) => Culprit::Pass(application),
        None => Culprit::NoPass,
    })
}

/// The options with only the first applications.
fn limited(options: &CompileOptions, count: u64) -> CompileOptions {
    let mut options = options.clone();
    options.pipeline.bisect_limit = Some(count);
    options
}

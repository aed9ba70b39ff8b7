//! Filters about numbers.

use super::{Native, describe, native};
use crate::{
    Kind, Value,
    stop::{Flow, Stop},
};

type Unary = fn(f64) -> f64;
type Binary = fn(f64, f64) -> f64;

/// Functions of the input.
const UNARY: [(&str, Unary); 36] = [
    ("acos", libm::acos),
    ("acosh", libm::acosh),
    ("asin", libm::asin),
    ("asinh", libm::asinh),
    ("atan", libm::atan),
    ("atanh", libm::atanh),
    ("cbrt", libm::cbrt),
    ("ceil", libm::ceil),
    ("cos", libm::cos),
    ("cosh", libm::cosh),
    ("exp", libm::exp),
    ("exp10", libm::exp10),
    ("exp2", libm::exp2),
    ("expm1", libm::expm1),
    ("fabs", libm::fabs),
    ("floor", libm::floor),
    ("gamma", libm::lgamma),
    ("lgamma", libm::lgamma),
    ("log", libm::log),
    ("log10", libm::log10),
    ("log1p", libm::log1p),
    ("log2", libm::log2),
    ("logb", logb),
    ("nearbyint", libm::rint),
    ("rint", libm::rint),
    ("round", libm::round),
    ("significand", significand),
    ("sin", libm::sin),
    ("sinh", libm::sinh),
    ("sqrt", libm::sqrt),
    ("tan", libm::tan),
    ("tanh", libm::tanh),
    ("tgamma", libm::tgamma),
    ("trunc", libm::trunc),
    ("erf", libm::erf),
    ("erfc", libm::erfc),
];

/// Functions of two arguments.
const BINARY: [(&str, Binary); 11] = [
    ("atan2", libm::atan2),
    ("copysign", libm::copysign),
    ("drem", libm::remainder),
    ("remainder", libm::remainder),
    ("fdim", libm::fdim),
    ("fmax", libm::fmax),
    ("fmin", libm::fmin),
    ("fmod", libm::fmod),
    ("hypot", libm::hypot),
    ("nextafter", libm::nextafter),
    ("pow", libm::pow),
];

macro_rules! table {
    ($functions:ident, $arity:literal, [$($index:literal)*], |$args:ident, $function:ident| $result:expr) => {
        vec![$(native($functions[$index].0, $arity, |_, $args| {
            let $function = $functions[$index].1;
            $result
        })),*]
    };
}

pub(super) fn natives() -> Vec<Native> {
    let mut natives = table!(UNARY, 0,
        [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35],
        |args, function| unary(&args[0], function));
    natives.extend(table!(BINARY, 2, [0 1 2 3 4 5 6 7 8 9 10], |args, function| {
        Ok(Value::computed(function(number(&args[1])?, number(&args[2])?)))
    }));
    natives.extend([
        native("ldexp", 2, |_, args| scale(&args[1], &args[2])),
        native("scalb", 2, |_, args| scale(&args[1], &args[2])),
        native("scalbln", 2, |_, args| scale(&args[1], &args[2])),
        native("fma", 3, |_, args| {
            Ok(Value::computed(libm::fma(number(&args[1])?, number(&args[2])?, number(&args[3])?)))
        }),
        native("frexp", 0, |_, args| {
            let (fraction, exponent) = libm::frexp(number(&args[0])?);
            Ok(Value::array([Value::computed(fraction), Value::from(i64::from(exponent))]))
        }),
        native("modf", 0, |_, args| {
            let (fraction, whole) = libm::modf(number(&args[0])?);
            Ok(Value::array([Value::computed(fraction), Value::computed(whole)]))
        }),
        native("abs", 0, |_, args| abs(&args[0])),
        native("infinite", 0, |_, _| Ok(Value::computed(f64::INFINITY))),
        native("nan", 0, |_, _| Ok(Value::computed(f64::NAN))),
        native("isinfinite", 0, |_, args| Ok(Value::from(number(&args[0])?.is_infinite()))),
        native("isfinite", 0, |_, args| Ok(Value::from(number(&args[0])?.is_finite()))),
        native("isnan", 0, |_, args| Ok(Value::from(number(&args[0])?.is_nan()))),
        native("isnormal", 0, |_, args| Ok(Value::from(number(&args[0])?.is_normal()))),
    ]);
    natives
}

pub(super) fn number(value: &Value) -> Flow<f64> {
    value.as_f64().map_or_else(|| Stop::raise(format!("{} number required", describe(value))), Ok)
}

fn unary(value: &Value, function: fn(f64) -> f64) -> Flow<Value> {
    Ok(Value::computed(function(number(value)?)))
}

/// A value without its sign; what is no number stays as it is, as in jq.
fn abs(value: &Value) -> Flow<Value> {
    match value.kind() {
        Kind::Integer(number) if number < 0 => Ok(number.checked_neg().map_or_else(
            || Value::computed(value.as_f64().unwrap_or_default().abs()),
            Value::from,
        )),
        Kind::Float(number) if number < 0.0 => Ok(Value::computed(-number)),
        Kind::Integer(_) | Kind::Float(_) => Ok(value.clone()),
        _ => Stop::raise(format!("{} has no absolute value", describe(value))),
    }
}

fn logb(number: f64) -> f64 {
    if number == 0.0 {
        return f64::NEG_INFINITY;
    }
    if !number.is_finite() {
        return number.abs();
    }
    f64::from(libm::frexp(number).1 - 1)
}

fn significand(number: f64) -> f64 {
    if number == 0.0 || !number.is_finite() { number } else { libm::frexp(number).0 * 2.0 }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "saturating is right for exponents far outside"
)]
fn scale(value: &Value, exponent: &Value) -> Flow<Value> {
    Ok(Value::computed(libm::ldexp(number(value)?, number(exponent)? as i32)))
}

//! Values that differ by region, partner type, track or tier.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{IntoDeserializer, MapAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value of a rule, with rows for regions, region groups, partner types and tracks. Written bare where it is one for all:
/// `atLeast: 100000`, or `atLeast: {default: 100000, rows: [{region: DE, value: 80000}]}`. The most specific row wins
/// (semantics 8): own region, then a group that holds it, then the nearest ancestor, then no region; at equal rank one that
/// names the partner type beats one that does not. Two equally specific rows are refused at publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scoped<T> {
    /// For whoever no row matches; without it the rule does not apply to them and is not met.
    pub default: Option<T>,
    /// The rows.
    pub rows: Vec<ScopedRow<T>>,
}

/// One row of a [`Scoped`] value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScopedRow<T> {
    /// For this region and what lies under it.
    pub region: Option<String>,
    /// For the regions of this group.
    pub region_group: Option<String>,
    /// For these partner types only.
    #[serde(default)]
    pub partner_types: Vec<String>,
    /// For these tracks (the partner type of the enrollment) only.
    #[serde(default)]
    pub tracks: Vec<String>,
    /// The value.
    pub value: T,
}

impl<T> Scoped<T> {
    /// One value for all.
    pub const fn of(value: T) -> Self {
        Self { default: Some(value), rows: Vec::new() }
    }
}

impl<T: Serialize> Serialize for Scoped<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.default {
            Some(value) if self.rows.is_empty() => value.serialize(serializer),
            default => {
                let mut shape = serializer.serialize_struct("Scoped", 2)?;
                shape.serialize_field("default", default)?;
                shape.serialize_field("rows", &self.rows)?;
                shape.end()
            }
        }
    }
}

/// The long form of a [`Scoped`] value.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ScopedRows<T> {
    /// For whoever no row matches.
    default: Option<T>,
    /// The rows; the most specific one wins.
    rows: Option<Vec<ScopedRow<T>>>,
}

/// Forwards a bare value to `T` and a map to the long form.
struct BareOr<T, L>(PhantomData<(T, L)>);

impl<'de, T: Deserialize<'de>, L: Deserialize<'de>> Visitor<'de> for BareOr<T, L> {
    type Value = Result<T, L>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or an object with values by region, type or tier")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Ok)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Ok)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Ok)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Ok)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Self::Value, E> {
        T::deserialize(StrDeserializer::<E>::new(value)).map(Ok)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        L::deserialize(MapAccessDeserializer::new(map)).map(Err)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Scoped<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read: Result<T, ScopedRows<T>> = deserializer.deserialize_any(BareOr(PhantomData))?;
        Ok(match read {
            Ok(value) => Self::of(value),
            Err(long) => Self { default: long.default, rows: long.rows.unwrap_or_default() },
        })
    }
}

impl<T: JsonSchema> JsonSchema for Scoped<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Scoped_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let bare = generator.subschema_for::<T>();
        let long = generator.subschema_for::<ScopedRows<T>>();
        json_schema!({ "anyOf": [bare, long], "description": "One value for all, or a default with rows by region, region group, partner type and track; the most specific row wins." })
    }
}

/// A value by tier. Written bare where it is one for all tiers: `rate: 2 %`, or `rate: {default: 0, tiers: {GOLD: 3 %}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiered<T> {
    /// For tiers that are not named, and for partners without a tier; without it they have none.
    pub default: Option<T>,
    /// By tier.
    pub tiers: BTreeMap<String, T>,
}

impl<T> Tiered<T> {
    /// One value for all.
    pub const fn of(value: T) -> Self {
        Self { default: Some(value), tiers: BTreeMap::new() }
    }

    /// The value for a tier.
    pub fn get(&self, tier: Option<&str>) -> Option<&T> {
        tier.and_then(|tier| self.tiers.get(tier)).or(self.default.as_ref())
    }
}

impl<T: Serialize> Serialize for Tiered<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.default {
            Some(value) if self.tiers.is_empty() => value.serialize(serializer),
            default => {
                let mut shape = serializer.serialize_struct("Tiered", 2)?;
                shape.serialize_field("default", default)?;
                shape.serialize_field("tiers", &self.tiers)?;
                shape.end()
            }
        }
    }
}

/// The long form of a [`Tiered`] value.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TieredRows<T> {
    /// For tiers that are not named, and for partners without a tier.
    default: Option<T>,
    /// By tier key.
    tiers: Option<BTreeMap<String, T>>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Tiered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read: Result<T, TieredRows<T>> = deserializer.deserialize_any(BareOr(PhantomData))?;
        Ok(match read {
            Ok(value) => Self::of(value),
            Err(long) => Self { default: long.default, tiers: long.tiers.unwrap_or_default() },
        })
    }
}

impl<T: JsonSchema> JsonSchema for Tiered<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Tiered_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let bare = generator.subschema_for::<T>();
        let long = generator.subschema_for::<TieredRows<T>>();
        json_schema!({ "anyOf": [bare, long], "description": "One value for all tiers, or a default with values by tier." })
    }
}

/// A bare value of a filter or an attribute: text, a number, yes or no.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scalar {
    /// Text, a date, or a number in quotes.
    Text(String),
    /// A number.
    Number(crate::money::Number),
    /// Yes or no.
    Boolean(bool),
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            // A whole number stays a number, so that it is read back as one.
            Self::Number(number) => match number.0.to_whole().map(i64::try_from) {
                Some(Ok(whole)) => serializer.serialize_i64(whole),
                _ => match number.to_string().parse::<f64>() {
                    Ok(value) => serializer.serialize_f64(value),
                    Err(_) => serializer.collect_str(number),
                },
            },
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bare;
        impl Visitor<'_> for Bare {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, a number, true or false")
            }

            fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar::Boolean(value))
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Scalar, E> {
                crate::money::Number::deserialize(value.into_deserializer()).map(Scalar::Number)
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Scalar, E> {
                crate::money::Number::deserialize(value.into_deserializer()).map(Scalar::Number)
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Scalar, E> {
                crate::money::Number::deserialize(value.into_deserializer()).map(Scalar::Number)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Bare)
    }
}

impl JsonSchema for Scalar {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"], "description": "Text, a number, true or false." })
    }
}

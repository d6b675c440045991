//! Reading what a newer program says: a variant that this one does not know is no reason to lose the whole message.

use super::PushRefused;
use crate::kinds::EmergencyKind;
use crate::roster::{ListItem, Roster, Staff};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// None where the value cannot be read.
pub fn or_none<'de, D: Deserializer<'de>, T: DeserializeOwned>(d: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(d)?).unwrap_or_default())
}

/// The elements that can be read.
pub fn known<'de, D: Deserializer<'de>, T: DeserializeOwned>(d: D) -> Result<Vec<T>, D::Error> {
    let all: Vec<Value> = Vec::deserialize(d)?;
    Ok(all.into_iter().filter_map(|one| serde_json::from_value(one).ok()).collect())
}

pub fn refused<'de, D: Deserializer<'de>>(d: D) -> Result<Option<PushRefused>, D::Error> {
    let why: Option<Value> = Option::deserialize(d)?;
    Ok(why.map(|why| serde_json::from_value(why).unwrap_or(PushRefused::Unknown)))
}

/// Without the people, tiles and steps that this program does not understand: nobody signs in under a role that it does
/// not know, and a tile whose meaning it does not know is not offered. Only for what travels: a server reads its own
/// roster whole or not at all.
pub fn roster<'de, D: Deserializer<'de>>(d: D) -> Result<Roster, D::Error> {
    read(Value::deserialize(d)?).map_err(D::Error::custom)
}

pub fn maybe_roster<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Roster>, D::Error> {
    let value: Option<Value> = Option::deserialize(d)?;
    value.map(read).transpose().map_err(D::Error::custom)
}

fn read(mut roster: Value) -> Result<Roster, serde_json::Error> {
    keep::<Staff>(roster.get_mut("staff"));
    keep::<(EmergencyKind, Vec<String>)>(roster.pointer_mut("/settings/emergency_steps"));
    if let Some(lists) = roster.get_mut("lists").and_then(Value::as_object_mut) {
        lists.values_mut().for_each(|list| keep::<ListItem>(Some(list)));
    }
    serde_json::from_value(roster)
}

fn keep<T: DeserializeOwned>(list: Option<&mut Value>) {
    if let Some(all) = list.and_then(Value::as_array_mut) {
        all.retain(|one| serde_json::from_value::<T>(one.clone()).is_ok());
    }
}

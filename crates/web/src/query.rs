//! The query of an address (查询串): read, changed, written back.

/// The last value of a parameter, decoded.
pub(crate) fn get(query: &str, name: &str) -> Option<String> {
    pairs(query).into_iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// The query with one parameter set; an empty value takes it out.
pub(crate) fn set(query: &str, name: &str, value: &str) -> String {
    let mut pairs = pairs(query);
    pairs.retain(|(key, _)| key != name);
    if !value.is_empty() {
        pairs.push((name.to_owned(), value.to_owned()));
    }
    write(&pairs)
}

/// The query without some parameters.
pub(crate) fn without(query: &str, names: &[&str]) -> String {
    let mut pairs = pairs(query);
    pairs.retain(|(key, _)| !names.contains(&key.as_str()));
    write(&pairs)
}

/// All parameters in order; a query that cannot be read has none.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    serde_urlencoded::from_str(query).unwrap_or_default()
}

fn write(pairs: &[(String, String)]) -> String {
    serde_urlencoded::to_string(pairs).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_replaces_and_encodes() {
        assert_eq!(set("a=1&b=2&a=3", "a", "湘 潭"), "b=2&a=%E6%B9%98+%E6%BD%AD");
        assert_eq!(set("a=1", "a", ""), "");
        assert_eq!(get("a=1&a=%E6%B9%98", "a").as_deref(), Some("湘"));
        assert_eq!(without("lang=en&q=x", &["lang"]), "q=x");
    }
}

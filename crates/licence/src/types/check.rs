//! Checks definitions of licence types and makes them, or says everything that is wrong.

use std::collections::BTreeSet;

use super::reader::{Found, Keys, Source};
use super::{Field, FieldKind, HolderKind, LicenceType, Mask, Problem, Term, Viewer};

/// More than any face of a licence has; a longer list is a mistake.
const FIELDS_MAX: usize = 60;
/// A definition is short enough to be read aloud.
const FILE_BYTES_MAX: usize = 64 * 1024;
/// Credit code of the definer (18) and three digits.
const CODE_LETTERS: usize = 21;
/// What may be unconfirmed besides a field.
const UNCONFIRMED_KEYS: [&str; 7] = ["code", "basis", "owner", "effective", "items", "validity", "holder"];

/// Loads all files; gives the types or every problem.
pub(super) fn load(files: &[(&str, &str)]) -> Result<Vec<LicenceType>, Vec<Problem>> {
    let (mut types, mut problems) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for (file, text) in files {
        let mut source = Source::new(file, text);
        if FILE_BYTES_MAX < text.len() {
            source.problem(0..0, format!("the file is longer than {FILE_BYTES_MAX} bytes"));
        } else {
            types.extend(one(&mut source, &mut seen));
        }
        problems.append(&mut source.problems);
    }
    problems.sort();
    if problems.is_empty() { Ok(types) } else { Err(problems) }
}

fn one(source: &mut Source<'_>, seen: &mut BTreeSet<String>) -> Option<LicenceType> {
    let document = source.parse();
    if !source.problems.is_empty() {
        return None;
    }
    let mut keys = Keys::new(document.get_ref(), 0..0);
    let id = name(source, &mut keys, seen);
    let code = code(source, &mut keys, seen);
    let version = keys.number(source, "version").filter(|it| is_positive(source, it));
    let clause = keys.text(source, "clause").filter(|it| is_clause(source, it));
    let basis = keys.text(source, "basis");
    let owner = keys.text(source, "owner");
    let owner_en = keys.text(source, "owner_en");
    let effective = keys.date(source, "effective");
    let title = keys.text(source, "title");
    let title_en = keys.text(source, "title_en");
    let holder = keys.text(source, "holder").and_then(|it| holder(source, &it));
    let items = keys.texts(source, "items").into_iter().map(|it| it.value).collect();
    let unsure = keys.texts(source, "unconfirmed");
    let validity = validity(source, &mut keys);
    let fields = fields(source, &mut keys);
    let unconfirmed = unconfirmed(source, unsure, &fields);
    keys.done(source);
    Some(LicenceType {
        id: id?.value,
        version: version?.value,
        code: code?.value,
        clause: clause?.value,
        basis: basis?.value,
        owner: owner?.value,
        owner_en: owner_en?.value,
        effective: effective?.value,
        title: title?.value,
        title_en: title_en?.value,
        holder: holder?,
        items,
        validity,
        fields,
        unconfirmed,
    })
}

fn name(
    source: &mut Source<'_>,
    keys: &mut Keys<'_, '_>,
    seen: &mut BTreeSet<String>,
) -> Option<Found<String>> {
    let id = keys.text(source, "id")?;
    is_name(source, &id);
    once(source, seen, "id", &id);
    Some(id)
}

fn code(
    source: &mut Source<'_>,
    keys: &mut Keys<'_, '_>,
    seen: &mut BTreeSet<String>,
) -> Option<Found<String>> {
    let code = keys.text(source, "code")?;
    let definer = code.value.get(..18).map(str::parse::<tb_base::Uscc>);
    let digits = code.value.get(18..).is_some_and(|rest| rest.bytes().all(|it| it.is_ascii_digit()));
    match definer {
        Some(Ok(_)) if digits && code.value.len() == CODE_LETTERS => once(source, seen, "code", &code),
        Some(Err(_)) => source.problem(code.at.clone(), "the definer in `code` is no valid credit code"),
        _ => source.problem(code.at.clone(), "`code` is not a credit code of 18 letters and three digits"),
    }
    Some(code)
}

fn once(source: &mut Source<'_>, seen: &mut BTreeSet<String>, key: &str, found: &Found<String>) {
    if !seen.insert(format!("{key} {}", found.value)) {
        source.problem(found.at.clone(), format!("{key} `{}` is defined twice", found.value));
    }
}

fn is_positive(source: &mut Source<'_>, found: &Found<u32>) -> bool {
    if found.value == 0 {
        source.problem(found.at.clone(), "`version` begins at 1");
    }
    0 < found.value
}

fn is_clause(source: &mut Source<'_>, found: &Found<String>) -> bool {
    let good = found.value.parse::<tb_base::ClauseId>().is_ok();
    if !good {
        source.problem(found.at.clone(), format!("`{}` is no clause of the agreement", found.value));
    }
    good
}

fn holder(source: &mut Source<'_>, found: &Found<String>) -> Option<HolderKind> {
    choose(source, found, &[("person", HolderKind::Person), ("enterprise", HolderKind::Enterprise)])
}

fn validity(source: &mut Source<'_>, keys: &mut Keys<'_, '_>) -> Vec<Term> {
    let mut rows: Vec<Term> = Vec::new();
    for mut table in keys.tables(source, "validity") {
        let from_age = table.number(source, "from_age");
        let years = table.optional_number(source, "years").map(|it| it.value);
        if let Some(age) = from_age {
            let grows = rows.last().map_or(age.value == 0, |last| last.from_age < age.value);
            if !grows {
                source.problem(age.at, "the ages of `validity` begin at 0 and grow");
            }
            rows.push(Term { from_age: age.value, years });
        }
        table.done(source);
    }
    rows
}

fn fields(source: &mut Source<'_>, keys: &mut Keys<'_, '_>) -> Vec<Field> {
    let tables = keys.tables(source, "field");
    if tables.is_empty() {
        source.problem(keys.at(), "there is no [[field]]");
    }
    if FIELDS_MAX < tables.len() {
        source.problem(keys.at(), format!("there are more than {FIELDS_MAX} fields"));
    }
    let mut names = BTreeSet::new();
    let mut fields = Vec::new();
    for mut table in tables {
        fields.extend(field(source, &mut table, &mut names));
        table.done(source);
    }
    fields
}

fn field(source: &mut Source<'_>, table: &mut Keys<'_, '_>, names: &mut BTreeSet<String>) -> Option<Field> {
    let id = table.text(source, "id");
    if let Some(id) = &id {
        is_name(source, id);
        once(source, names, "field", id);
    }
    let title = table.text(source, "title");
    let title_en = table.text(source, "title_en");
    let kind = table.text(source, "kind").and_then(|it| kind(source, &it));
    let required = table.flag(source, "required", true);
    let viewers = table.texts(source, "shown_to");
    let shown_to = viewers.iter().filter_map(|it| viewer(source, it)).collect();
    let masked = table.optional_text(source, "masked").and_then(|it| masked(source, &it));
    Some(Field {
        id: id?.value,
        title: title?.value,
        title_en: title_en?.value,
        kind: kind?,
        required,
        shown_to,
        masked,
    })
}

fn kind(source: &mut Source<'_>, found: &Found<String>) -> Option<FieldKind> {
    let kinds = [
        ("text", FieldKind::Text),
        ("date", FieldKind::Date),
        ("number", FieldKind::Number),
        ("resident_number", FieldKind::ResidentNumber),
        ("uscc", FieldKind::Uscc),
    ];
    choose(source, found, &kinds)
}

fn viewer(source: &mut Source<'_>, found: &Found<String>) -> Option<Viewer> {
    let viewers = [("public", Viewer::Public), ("inspector", Viewer::Inspector), ("office", Viewer::Office)];
    choose(source, found, &viewers)
}

fn masked(source: &mut Source<'_>, found: &Found<String>) -> Option<Mask> {
    choose(source, found, &[("name", Mask::Name), ("number", Mask::Number)])
}

fn choose<T: Copy>(source: &mut Source<'_>, found: &Found<String>, known: &[(&str, T)]) -> Option<T> {
    let choice = known.iter().find(|(name, _)| *name == found.value).map(|(_, value)| *value);
    if choice.is_none() {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        source.problem(found.at.clone(), format!("`{}` is none of {}", found.value, names.join(", ")));
    }
    choice
}

fn unconfirmed(source: &mut Source<'_>, found: Vec<Found<String>>, fields: &[Field]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for it in found {
        let known =
            UNCONFIRMED_KEYS.contains(&it.value.as_str()) || fields.iter().any(|field| field.id == it.value);
        if !known {
            let text = format!("`{}` is neither a key nor a field, so it cannot be unconfirmed", it.value);
            source.problem(it.at, text);
        }
        names.insert(it.value);
    }
    names
}

fn is_name(source: &mut Source<'_>, found: &Found<String>) {
    let good = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_';
    if !found.value.bytes().all(good) {
        source.problem(
            found.at.clone(),
            format!("`{}` is no name of small letters, digits and _", found.value),
        );
    }
}

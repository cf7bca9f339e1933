//! What a browser sends (表单与上传): plain forms, JSON, several parts with files.

use axum::body::Body;
use tb_web::{Form, Lang};

use crate::Target;

/// The readers of this file.
pub const TARGETS: &[Target] = &[
    Target { name: "multipart", run: multipart, seeds: multipart_seeds, mutations: 5_000 },
    Target { name: "form", run: plain, seeds: form_seeds, mutations: 10_000 },
    Target { name: "card", run: card, seeds: card_seeds, mutations: 10_000 },
    Target { name: "form-json", run: json, seeds: json_seeds, mutations: 10_000 },
];

fn read(kind: &str, data: &[u8]) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("starting a runtime: {error}"));
    let form = runtime.block_on(Form::read(Lang::En, "token", kind, Body::from(data.to_vec())));
    let Ok(form) = form else { return false };
    let fields = form.fields();
    fields.value("name").len() <= data.len()
}

/// The line of a card reader: what is read is read again as the same, a refusal names the field and the way out.
fn card(data: &[u8]) -> bool {
    let line = String::from_utf8_lossy(data);
    match tb_counter::card::read(&line) {
        Ok(card) => {
            let again = tb_counter::card::read(&format!("{}|{}", card.name, card.number));
            assert!(again.as_ref() == Ok(&card), "{line:?} is read as {card:?}, and then as {again:?}");
            true
        }
        Err(refusal) => {
            assert!(refusal.way_out.is_some() && refusal.field.is_some(), "{line:?}: {refusal:?}");
            false
        }
    }
}

fn card_seeds() -> Vec<Vec<u8>> {
    [
        "周晓梅|女|汉|19900307|湖南省株洲市|11010519491231002X|公安局|20200101-20400101",
        "姓名：周晓梅，性别：女，公民身份号码：11010519491231002X",
        "11010519491231002X 周晓梅",
    ]
    .map(|line| line.as_bytes().to_vec())
    .to_vec()
}

fn multipart(data: &[u8]) -> bool {
    read("multipart/form-data; boundary=edge", data)
}

fn plain(data: &[u8]) -> bool {
    read("application/x-www-form-urlencoded", data)
}

fn json(data: &[u8]) -> bool {
    read("application/json", data)
}

fn multipart_seeds() -> Vec<Vec<u8>> {
    let part = |name: &str, file: &str, content: &[u8]| {
        let head = format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        [head.as_bytes(), content, b"\r\n"].concat()
    };
    let end = b"--edge--\r\n".to_vec();
    let files: [&[u8]; 3] = [
        b"%PDF-1.7\n...\n%%EOF\n",
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR....\0\0\0\0IEND\xae\x42\x60\x82",
        b"\xff\xd8\xff\xe0....\xff\xd9",
    ];
    let mut seeds: Vec<Vec<u8>> = files
        .iter()
        .map(|file| [part("paper", "; filename=\"a.pdf\"", file), end.clone()].concat())
        .collect();
    seeds.push([part("csrf", "", b"abc"), part("name", "", "贺志强".as_bytes()), end].concat());
    seeds
}

fn form_seeds() -> Vec<Vec<u8>> {
    vec![
        b"csrf=abc&name=%E8%B4%BA+a&day.y=2026&day.m=2&day.d=30&list=1&list=2".to_vec(),
        b"a=%&b=%F&=&&c".to_vec(),
    ]
}

fn json_seeds() -> Vec<Vec<u8>> {
    vec![br#"{"csrf":"abc","name":"\u8d3a","count":3,"agree":true,"list":["a",1,null,{}]}"#.to_vec()]
}

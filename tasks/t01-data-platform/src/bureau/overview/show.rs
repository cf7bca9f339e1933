//! What the overview says (总览的说法): headline, picture of the lines, tables, log.

use tb_base::Timestamp;
use tb_web::{Lang, ui};

use super::{BureauPage, PATIENCE_SECONDS, Peer, Witness};
use crate::bureau::words::cause;
use crate::bureau::{age, ago, city_cell, counted};

/// The picture is drawn so wide that its words read at 320 pixels.
const WIDTH: usize = 480;
/// Where this city stands, and where the others do.
const OWN_Y: usize = 56;
const OTHERS_Y: usize = 232;
/// A clock that is off by less cannot be told from the time that a message takes.
const SKEW_MILLIS_MIN: i64 = 2_000;

/// A line of the picture.
pub(super) struct Drawn {
    /// `good`, `wait` or `cut`: also how it is drawn.
    pub kind: &'static str,
    pub x1: usize,
    pub y1: usize,
    pub x2: usize,
    pub y2: usize,
    /// Where its word stands.
    pub word_x: usize,
    pub word_y: usize,
    pub word: String,
    /// The other city.
    pub node: String,
    pub name: String,
    pub name_y: usize,
}

impl BureauPage {
    /// What is wrong, not what the page is.
    pub(super) fn headline(&self) -> String {
        let (lang, dead) = (self.lang, &self.state.dead);
        let silent = self.state.peers.iter().find(|peer| peer.silent_since.is_some());
        let waiting: u32 = self.state.peers.iter().map(|peer| peer.waiting).sum();
        if let Some(forked) = self.state.forks.iter().find(|forked| forked.is_open()) {
            return forked.words(lang, &self.frame);
        }
        if 0 < dead.open {
            let count = counted(lang, dead.open);
            let is_one = dead.open == 1;
            return match lang {
                Lang::Zh => format!("{count} 封死信要处理"),
                Lang::En if is_one => format!("{count} dead letter to be seen to"),
                Lang::En => format!("{count} dead letters to be seen to"),
            };
        }
        if let Some(peer) = silent {
            let name = self.frame.city_name(peer.node);
            return match lang {
                Lang::Zh => format!("{name}没有应答，报文在等"),
                Lang::En => format!("{name} does not answer; messages wait"),
            };
        }
        match (waiting, lang) {
            (0, _) => lang.t("交换正常，没有积压", "Exchange is well; nothing waits").to_owned(),
            (_, Lang::Zh) => format!("{} 条报文在等对方城市", counted(lang, waiting)),
            (1, Lang::En) => "1 message waits for another city".to_owned(),
            (_, Lang::En) => format!("{} messages wait for another city", counted(lang, waiting)),
        }
    }

    /// What stands above everything while a restored store waits for the other cities.
    pub(super) fn restoring(&self) -> Option<String> {
        let since = self.lang.time(self.state.restoring?);
        Some(match self.lang {
            Lang::Zh => format!("从 {since} 起，本市在向其他城市取回备份之后的记录；取齐之前不签名。"),
            Lang::En => format!(
                "Since {since} this city asks the others for what came after its backup; it signs nothing before."
            ),
        })
    }

    pub(super) fn tiles(&self) -> ui::Tiles {
        let lang = self.lang;
        let peers = &self.state.peers;
        let waiting: u32 = peers.iter().map(|peer| peer.waiting).sum();
        let behind = self.state.log.witnesses.iter().filter(|it| self.is_late(it)).count();
        let tile = |figure: String, zh, en, href: &str, kind: &str| ui::Tile {
            kind: if figure == "0" { String::new() } else { kind.to_owned() },
            figure,
            label: lang.t(zh, en).to_owned(),
            href: href.to_owned(),
        };
        let dead = &self.state.dead;
        let tiles = vec![
            tile(counted(lang, dead.open), "封死信待处理", "dead letters open", "/bureau/dead", "stop"),
            tile(
                counted(lang, dead.overdue),
                "封已过期限",
                "of them overdue",
                "/bureau/dead?age=late",
                "stop",
            ),
            tile(counted(lang, waiting), "条报文在等", "messages wait", "#lines", "wait"),
            tile(lang.number(behind), "位见证落后", "witnesses behind", "#log", "wait"),
            tile(lang.number(self.state.shared), "项在共享", "services shared", "/bureau/shared", ""),
            tile(lang.number(self.state.contracts), "份契约", "contracts", "/bureau/contracts", ""),
        ];
        ui::Tiles { tiles }
    }

    fn kind(&self, peer: &Peer) -> &'static str {
        let waits = |since: Timestamp| since.plus_seconds(PATIENCE_SECONDS) <= self.now;
        match (peer.silent_since, peer.since) {
            (Some(_), _) => "cut",
            (None, Some(since)) if waits(since) => "wait",
            (None, Some(_) | None) => "good",
        }
    }

    fn line_word(&self, peer: &Peer) -> String {
        let lang = self.lang;
        match self.kind(peer) {
            "cut" => lang.t("没有应答", "no answer").to_owned(),
            "wait" => match lang {
                Lang::Zh => format!("{} 条在等", counted(lang, peer.waiting)),
                Lang::En => format!("{} waiting", counted(lang, peer.waiting)),
            },
            _ => lang.t("正常", "well").to_owned(),
        }
    }

    /// The lines of this city; what is between the others only they know.
    pub(super) fn drawn(&self) -> Vec<Drawn> {
        let count = self.state.peers.len();
        let of = |(at, peer): (usize, &Peer)| {
            let x2 = WIDTH * (2 * at + 1) / (2 * count.max(1));
            Drawn {
                kind: self.kind(peer),
                x1: WIDTH / 2,
                y1: OWN_Y,
                x2,
                y2: OTHERS_Y,
                word_x: (WIDTH / 2).midpoint(x2),
                word_y: OWN_Y.midpoint(OTHERS_Y) + 8,
                word: self.line_word(peer),
                node: peer.node.to_string(),
                name: self.frame.city_name(peer.node),
                name_y: OTHERS_Y + 44,
            }
        };
        self.state.peers.iter().enumerate().map(of).collect()
    }

    pub(super) fn own_name(&self) -> String {
        let own = self.frame.own_city();
        self.frame.city_name(own)
    }

    pub(super) fn picture_words(&self) -> String {
        let of = |peer: &Peer| format!("{}: {}", self.frame.city_name(peer.node), self.line_word(peer));
        self.state.peers.iter().map(of).collect::<Vec<_>>().join("; ")
    }

    pub(super) fn peers(&self) -> ui::Table {
        let lang = self.lang;
        let number = |zh, en| ui::Head::number(lang.t(zh, en));
        let head = |zh, en| ui::Head::text(lang.t(zh, en));
        ui::Table {
            caption: lang.t("到其他城市的线路", "Lines to the other cities").to_owned(),
            heads: vec![
                head("城市", "City"),
                head("状态", "State"),
                head("最近听到", "Last heard"),
                number("待发", "Waiting"),
                head("最久的", "The oldest"),
                number("今天发出", "Out today"),
                number("今天收到", "In today"),
                number("死信", "Dead letters"),
                head("时钟", "Clock"),
            ],
            rows: self.state.peers.iter().map(|peer| self.peer_row(peer)).collect(),
            count: String::new(),
            export: None,
        }
    }

    fn peer_row(&self, peer: &Peer) -> ui::TableRow {
        let (lang, now) = (self.lang, self.now);
        let tag = match self.kind(peer) {
            "cut" => "stop",
            "wait" => "wait",
            _ => "done",
        };
        let since = peer.silent_since.map(|since| match lang {
            Lang::Zh => format!("已 {}", age(lang, now, since)),
            Lang::En => format!("for {}", age(lang, now, since)),
        });
        let heard = peer.heard.map_or_else(
            || ui::Cell::text(lang.t("还没有", "not yet")),
            |at| ui::Cell::text(lang.time(at)).note(ago(lang, now, at)),
        );
        let oldest = match peer.since {
            None => ui::Cell::text("—"),
            Some(since) => ui::Cell::text(age(lang, now, since)).note(self.failures(peer)),
        };
        let dead = match peer.dead {
            0 => ui::Cell::text("0"),
            dead => ui::Cell::link(counted(lang, dead), format!("/bureau/dead?city={}", peer.node)),
        };
        let shared = format!("/bureau/shared?city={}", peer.node);
        ui::TableRow::new(vec![
            city_cell(&self.frame, lang, peer.node),
            ui::Cell::tag(tag, self.line_word(peer)).note(since.unwrap_or_default()),
            heard,
            ui::Cell::text(counted(lang, peer.waiting)),
            oldest,
            ui::Cell::link(lang.number(peer.out_today), shared.clone()),
            ui::Cell::link(lang.number(peer.in_today), shared),
            dead,
            ui::Cell::text(self.skew(peer)),
        ])
    }

    fn failures(&self, peer: &Peer) -> String {
        let lang = self.lang;
        let Some(problem) = &peer.problem else { return String::new() };
        let (words, _) = cause(lang, problem);
        let tried = match lang {
            Lang::Zh => format!("试了 {} 次", lang.number(peer.failures)),
            Lang::En => lang.count(peer.failures, "", "try", "tries"),
        };
        format!("{tried}{}{words}", lang.t("：", ": "))
    }

    fn skew(&self, peer: &Peer) -> String {
        let lang = self.lang;
        match peer.skew_millis {
            None => lang.t("还不知道", "not known yet").to_owned(),
            Some(skew) if skew.abs() < SKEW_MILLIS_MIN => lang.t("一致", "agrees").to_owned(),
            Some(skew) => {
                let seconds = lang.number(skew.abs() / 1_000);
                match (lang, 0 < skew) {
                    (Lang::Zh, true) => format!("快 {seconds} 秒"),
                    (Lang::Zh, false) => format!("慢 {seconds} 秒"),
                    (Lang::En, true) => format!("{seconds} s ahead"),
                    (Lang::En, false) => format!("{seconds} s behind"),
                }
            }
        }
    }

    /// The newest message each way, and the newest receipt: how far either side is.
    pub(super) fn offsets(&self) -> ui::Table {
        let lang = self.lang;
        let place = |place: &Option<super::Place>| match place {
            None => ui::Cell::text(lang.t("还没有", "none yet")),
            Some(place) => ui::Cell::code(place.id.to_string()).note(lang.time(place.at)),
        };
        let rows = self.state.peers.iter().map(|peer| {
            ui::TableRow::new(vec![
                city_cell(&self.frame, lang, peer.node),
                place(&peer.newest_out),
                place(&peer.newest_in),
                place(&peer.receipt),
            ])
        });
        let heads = [
            ("城市", "City"),
            ("最近写给它的", "Newest for it"),
            ("最近来自它的", "Newest from it"),
            ("它最近的回执", "Its newest receipt"),
        ];
        ui::Table {
            caption: lang.t("两边各到哪一条", "How far either side is").to_owned(),
            heads: heads.iter().map(|(zh, en)| ui::Head::text(lang.t(zh, en))).collect(),
            rows: rows.collect(),
            count: String::new(),
            export: None,
        }
    }

    pub(super) fn log(&self) -> ui::Summary {
        let (lang, now, log) = (self.lang, self.now, &self.state.log);
        let row = |zh, en, value: String| ui::SummaryRow::new(lang.t(zh, en), value);
        let mut rows = vec![row("日志", "Log", lang.count(log.size, "条", "leaf", "leaves"))];
        let waiting = match log.waiting_since {
            None => lang.t("没有", "none").to_owned(),
            Some(since) => {
                format!("{} · {}", lang.count(log.waiting, "条", "leaf", "leaves"), age(lang, now, since))
            }
        };
        rows.push(row("等着入列", "Waiting for a place", waiting));
        if let Some(checkpoint) = &log.checkpoint {
            let at = format!("{} · {}", lang.time(checkpoint.at), ago(lang, now, checkpoint.at));
            let size = lang.count(checkpoint.size, "条", "leaf", "leaves");
            rows.push(row("最近的检查点", "Newest checkpoint", size).from(at));
            let lag = log.size.saturating_sub(checkpoint.size);
            rows.push(row("检查点之后", "Beyond the checkpoint", lang.count(lag, "条", "leaf", "leaves")));
            rows.push(row("树根", "Root", ui::grouped(&checkpoint.root, 4)).code());
        }
        ui::Summary { rows }
    }

    fn is_late(&self, witness: &Witness) -> bool {
        witness.behind_since.is_some_and(|since| since.plus_seconds(PATIENCE_SECONDS) <= self.now)
    }

    pub(super) fn witnesses(&self) -> ui::Table {
        let (lang, now) = (self.lang, self.now);
        let rows = self.state.log.witnesses.iter().map(|witness| {
            let (kind, word) = match (self.is_late(witness), witness.behind) {
                (true, _) => ("wait", lang.t("落后", "behind")),
                (false, 0) => ("done", lang.t("已签齐", "up to date")),
                (false, _) => ("now", lang.t("正在签", "being asked")),
            };
            let late = witness.behind_since.map(|since| age(lang, now, since)).unwrap_or_default();
            let cosigned = match &witness.cosigned {
                None => ui::Cell::text(lang.t("还没有", "none yet")),
                Some(last) => ui::Cell::text(lang.number(last.size)).note(lang.time(last.at)),
            };
            ui::TableRow::new(vec![
                city_cell(&self.frame, lang, witness.node),
                ui::Cell::tag(kind, word).note(late),
                cosigned,
                ui::Cell::text(lang.number(witness.behind)),
            ])
        });
        ui::Table {
            caption: lang.t("谁为本市日志见证", "Who cosigns this city's log").to_owned(),
            heads: vec![
                ui::Head::text(lang.t("见证", "Witness")),
                ui::Head::text(lang.t("状态", "State")),
                ui::Head::number(lang.t("签到", "Cosigned up to")),
                ui::Head::number(lang.t("差几条", "Leaves behind")),
            ],
            rows: rows.collect(),
            count: String::new(),
            export: None,
        }
    }

    pub(super) fn their_logs(&self) -> ui::Table {
        let (lang, now) = (self.lang, self.now);
        let rows = self.state.peers.iter().map(|peer| {
            let (size, at) = match &peer.cosigned {
                None => (lang.t("还没有", "none yet").to_owned(), String::new()),
                Some(kept) => {
                    (lang.number(kept.size), format!("{} · {}", lang.time(kept.at), ago(lang, now, kept.at)))
                }
            };
            ui::TableRow::new(vec![
                city_cell(&self.frame, lang, peer.node),
                ui::Cell::text(size),
                ui::Cell::text(at),
                ui::Cell::text(lang.number(peer.mirrored)),
            ])
        });
        ui::Table {
            caption: lang.t("本市为谁的日志见证", "Whose logs this city cosigns").to_owned(),
            heads: vec![
                ui::Head::text(lang.t("城市", "City")),
                ui::Head::number(lang.t("签到", "Cosigned up to")),
                ui::Head::text(lang.t("何时", "When")),
                ui::Head::number(lang.t("留有副本", "Copy held")),
            ],
            rows: rows.collect(),
            count: String::new(),
            export: None,
        }
    }
}

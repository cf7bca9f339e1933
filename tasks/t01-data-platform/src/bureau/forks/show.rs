//! What is said of a log with two histories (分叉的说法), to somebody who has to speak to the other city about it.

use tb_web::{Frame, Html, Lang, ui};

use super::{Forked, Kind, Seen, Tree};

/// Letters of a root that are shown; two people read them to each other.
const ROOT_LETTERS: usize = 12;
/// Letters of an id that are shown, as many as its file has in its name.
const ID_LETTERS: usize = 16;

impl Forked {
    /// Whether nothing has explained it, and the log has not gone on from the first history either.
    pub fn is_open(&self) -> bool {
        self.seen.iter().any(|seen| seen.kind != Kind::Cleared && seen.since.is_none())
    }

    fn is_cleared(&self) -> bool {
        self.seen.iter().all(|seen| seen.kind == Kind::Cleared)
    }

    /// Documents that are kept and not shown.
    pub fn hidden(&self) -> u32 {
        let shown = u32::try_from(self.seen.len()).unwrap_or(u32::MAX);
        self.count.saturating_sub(shown)
    }

    /// How to come to those that are not shown.
    pub fn more(&self, lang: Lang) -> String {
        let hidden = self.hidden();
        match lang {
            Lang::Zh => format!("还有更早的证据 {hidden} 份；全部导出：tongban trust evidence。"),
            Lang::En => {
                let earlier = lang.count(hidden, "", "earlier document is", "earlier documents are");
                format!("{earlier} kept; all are written out by tongban trust evidence.")
            }
        }
    }

    /// `株洲的日志有两份历史`.
    pub fn words(&self, lang: Lang, frame: &Frame) -> String {
        let name = frame.city_name(self.node);
        match lang {
            Lang::Zh => format!("{name}的日志有两份历史"),
            Lang::En => format!("The log of {name} has two histories"),
        }
    }

    /// The notice above everything, until the log has cleared itself.
    pub fn notice(&self, lang: Lang, frame: &Frame) -> Option<Html> {
        let newest = self.seen.first().filter(|_| !self.is_cleared())?;
        let at = lang.time(newest.at);
        let what = match lang {
            Lang::Zh => {
                format!("{at}，它请本市见证的检查点接不上本市已见证的那一份。证据已签名留存。")
            }
            Lang::En => format!(
                "On {at} it asked this city to cosign a checkpoint that does not follow the one cosigned before. \
                 Signed evidence is kept."
            ),
        };
        let (kind, next) = if self.is_open() {
            ("stop", lang.t("请看下面“请您做什么”。", " See “What to do” below."))
        } else {
            let went_on = " It went on from the first history since, and is cosigned as always.";
            ("wait", lang.t("此后它接着先前那份继续，本市照常见证；证据仍然留着。", went_on))
        };
        let name = frame.city_name(self.node);
        let title = match (self.is_open(), lang) {
            (true, Lang::Zh) => format!("{name}后来给的检查点，本市没有签"),
            (true, Lang::En) => format!("This city did not cosign the later checkpoint of {name}"),
            (false, Lang::Zh) => format!("{name}的日志有过两份历史"),
            (false, Lang::En) => format!("The log of {name} once had two histories"),
        };
        Some(ui::note(kind, &title, &format!("{what}{next}")))
    }
}

impl Seen {
    /// Its id, as far as people and file names need it.
    pub fn short_id(&self) -> &str {
        self.id.get(..ID_LETTERS).unwrap_or(&self.id)
    }

    /// When, both trees, what the document proves, and what came since.
    pub fn summary(&self, lang: Lang) -> ui::Summary {
        let row = |zh, en, value: String| ui::SummaryRow::new(lang.t(zh, en), value);
        let since = match &self.since {
            None => lang.t("没有再为它见证", "nothing of it was cosigned").to_owned(),
            Some(tree) => size(lang, tree),
        };
        let since_at = self.since.as_ref().and_then(|tree| tree.at);
        let since = row("此后", "Since then", since);
        let since = match since_at {
            None => since,
            Some(at) => {
                let went_on =
                    lang.t("它接着先前那份继续，本市签到这里", "it went on from the first; cosigned so far");
                since.from(format!("{went_on} · {}", lang.time(at)))
            }
        };
        ui::Summary {
            rows: vec![
                row("何时", "When", lang.time(self.at)),
                row("先前（本市已见证）", "Before (cosigned by this city)", tree(lang, &self.known)),
                row("后来（本市没有签）", "Then (not cosigned)", tree(lang, &self.shown)),
                row("说明什么", "What it shows", self.meaning(lang).to_owned()),
                since,
                row("证据编号", "Evidence", ui::grouped(self.short_id(), 4)).code(),
            ],
        }
    }

    fn meaning(&self, lang: Lang) -> &'static str {
        match self.kind {
            Kind::Proven => lang.t(
                "条数相同、树根不同，两份都有该市日志的签名：这是确证，没有别的解释",
                "one size, two roots, both signed by that log: this is proof, and nothing else explains it",
            ),
            Kind::Open => lang.t(
                "后来的更长，却没有证明它接在先前那份之后；该市补出证明就能澄清",
                "the later one is longer and came without a proof that it continues the first; a proof would clear it",
            ),
            Kind::Cleared => lang.t(
                "已澄清：本市手里的副本两份都有，后来的接在先前的之后",
                "cleared: the copy that this city holds contains both, the later continues the first",
            ),
        }
    }
}

fn size(lang: Lang, tree: &Tree) -> String {
    lang.count(tree.size, "条", "leaf", "leaves")
}

/// `9 条 · 树根 AbCd EfGh IjKl …`.
fn tree(lang: Lang, tree: &Tree) -> String {
    let root = tree.root.get(..ROOT_LETTERS).unwrap_or(&tree.root);
    format!("{} · {} {}…", size(lang, tree), lang.t("树根", "root"), ui::grouped(root, 4))
}

/// What the node does without anybody.
pub fn done_by_itself(lang: Lang) -> [&'static str; 3] {
    [
        lang.t(
            "只认先前那一份：凡接不上它的检查点，一律不签；接得上的照常签。",
            "It holds to the first history: what does not continue it is not cosigned; what does is, as always.",
        ),
        lang.t(
            "手里的副本停在先前那一份，不会被后来的改写。",
            "The copy of that log stays on the first history; the other one never overwrites it.",
        ),
        lang.t(
            "报文照常往来：每条仍单独验签，并写入本市自己的日志。",
            "Messages go on: each is still verified by itself and written to this city's own log.",
        ),
    ]
}

/// What a person is to do, in this order.
pub fn to_do(lang: Lang) -> [&'static str; 4] {
    [
        lang.t(
            "打电话给该市数据局，互相读出两份检查点的条数和树根。最常见的原因是：有人把旧的磁盘副本当成备份放了回去。",
            "Telephone that city's bureau and read sizes and roots to each other. The most common cause is an old copy of \
             a disk that was put back as if it were a backup.",
        ),
        lang.t(
            "下载证据，发给该市和另一个城市；谁都可以用信任名单离线核验：tongban trust check 文件 --trust trust.json。",
            "Download the evidence and send it to that city and to the third; anybody verifies it offline with the trust list: \
             tongban trust check FILE --trust trust.json.",
        ),
        lang.t(
            "原因是放回旧副本的，请该市停机，按手册从备份恢复（backup.md）；恢复后接上先前那份，本市自动继续见证。",
            "If an old copy was put back, that city stops and restores by the handbook (backup.md); once its log follows the \
             first history, this city cosigns by itself.",
        ),
        lang.t(
            "说不清原因的，另两市可以换掉它的密钥，或按手册请它退出（trust.md）。",
            "If nobody can explain it, the other two may replace its keys or remove it, by the handbook (trust.md).",
        ),
    ]
}
